"""What can be broken in the student management system for single people: their logins, grades, attendance."""

from collections.abc import Callable

from console.practice.simulated.faults.fault import Fault
from console.practice.simulated.redis import Key, cached_grades
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
            "INSERT INTO login_event (email, accepted, logged_at) "
            "VALUES (%(email)s, false, now() - make_interval(secs => %(ago)s))",
            {"email": STUDENT, "ago": 60 * minutes},
        )


def _lose_grades(world: World) -> None:
    """The import of this semester's grades stopped half way: some students have none."""
    world.database.tables.run(
        "DELETE FROM grade WHERE enrollment_id IN (SELECT id FROM enrollment WHERE student_id <= 40)",
    )


def _forget_to_invalidate(world: World) -> None:
    """Grades were entered by a script that does not tell the cache, which keeps the pages of before for a week."""
    world.database.tables.run(
        "INSERT INTO grade (enrollment_id, assessment_name, score, grade_date) "
        "SELECT id, 'Assessment 6', 71, current_date FROM enrollment WHERE student_id <= 40"
    )
    for number in range(1, 41):
        key = Key(cached_grades(number, world.now), world.now + 7 * 86_400, world.now)
        world.cache.keys[f"grades:student:{number}"] = key


def _revoke(permission: str) -> Callable[[World], None]:
    """A change of roles took a permission from the students."""

    def apply(world: World) -> None:
        world.database.tables.run(
            "DELETE FROM user_permission WHERE permission_name = %(name)s "
            'AND user_id IN (SELECT id FROM "user" WHERE role_id = 1)',
            {"name": permission},
        )

    return apply


def _lose_attendance(world: World) -> None:
    world.database.tables.run("DELETE FROM attendance")


def _keep_semester(world: World) -> None:
    """A new semester has begun, and nobody has said so in the settings."""
    world.database.tables.run("UPDATE semester SET is_current = (starts_on < current_date - 200)")


_SEES = {"listed": "yes"}
"""Asked only once the rows are there again."""
FAULTS: dict[str, Fault] = {
    "sms.h1.no-users": Fault(600, _lose_users, answers={"reset": "fine"}),
    "sms.h1.user-missing": Fault(600, _lose_user),
    "sms.h1.auth-mode-wrong": Fault(600, _be_strict),
    "sms.h1.credentials": Fault(600, _change_passwords, answers={"reset": "refused"}),
    "sms.h2.no-data": Fault(600, _lose_grades, answers=_SEES),
    "sms.h2.stale-cache": Fault(600, _forget_to_invalidate, answers=_SEES),
    "sms.h2.permission-missing": Fault(600, _revoke("grades:read"), answers=_SEES),
    "sms.h3.no-data": Fault(600, _lose_attendance, answers=_SEES),
    "sms.h3.outside-semester": Fault(600, _keep_semester, answers=_SEES),
    "sms.h3.permission-missing": Fault(600, _revoke("attendance:read"), answers=_SEES),
}
