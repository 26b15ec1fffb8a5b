"""What each kind of source answers: the shapes of its readings and the questions it takes.

Live sources, the simulated stack and test fakes all implement these protocols. Every method may raise
`console.reading.SourceError` and nothing else.
"""
