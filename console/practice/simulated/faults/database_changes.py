"""What is done to the database of any system, with the sessions that end by it."""

from console.practice.simulated.world import World


def end_sessions(world: World) -> None:
    for session in list(world.database.sessions):
        world.database.terminate(session, world.now)


def change_password(world: World) -> None:
    """The role's password was changed, the one that the service was given was not; whoever did it ended the old sessions."""
    world.database.set_password(world.database.user, "changed-in-a-hurry")
    end_sessions(world)


def drop_database(world: World) -> None:
    world.database.exists = False
    end_sessions(world)
