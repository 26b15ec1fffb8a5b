"""What can be broken in the student management system for single people: their logins, grades, attendance."""

from console.practice.simulated.faults.fault import Fault
from console.practice.simulated.world import World

STUDENT = "student1@studentmanagement.local"


def _lose_users(world: World) -> None:
    """Somebody emptied the table, to "start clean"."""
    world.database.tables.run('DELETE FROM user_permission; DELETE FROM "user"')


def _lose_user(world: World) -> None:
    tables = world.database.tables
    tables.run('DELETE FROM user_permission WHERE user_id = (SELECT id FROM "user" WHERE email = %(email)s)', {"email": STUDENT})
    tables.run('DELETE FROM "user" WHERE email = %(email)s', {"email": STUDENT})


def _be_strict(world: World) -> None:
    """A deployment with the setting of another place: users without an account are turned away."""
    world.set_variable("backend", "AUTH_MODE", "strict")
    world.restart("backend")


def _change_passwords(world: World) -> None:
    """An import overwrote passwords, and users try theirs again and again."""
    tables = world.database.tables
    tables.run('UPDATE "user" SET password_hash = %(hash)s WHERE role_id = 1', {"hash": "sha256$" + 64 * "0"})
    for minutes in (41, 40, 17, 3):
        tables.run(
            "INSERT INTO login_event (email, accepted, logged_at) VALUES (%(email)s, false, now() - make_interval(secs => %(ago)s))",
            {"email": STUDENT, "ago": 60 * minutes},
        )


FAULTS: dict[str, Fault] = {
    "sms.h1.no-users": Fault(600, _lose_users),
    "sms.h1.user-missing": Fault(600, _lose_user),
    "sms.h1.auth-mode-wrong": Fault(600, _be_strict),
    "sms.h1.credentials": Fault(600, _change_passwords, answers={"reset": "refused"}),
}
