"""The Docker engine as a source: the docker package for questions and actions, asyncio streams for what never ends."""
