"""Parts of an issue that asks for a number and a password, for tests of what is asked for; each test says where its arms lead."""

KEY = "grades:student:42"
WORD = "hunter2-hunter2"
HEAD = """\
id: demo.h1
title: Grades are old
severity: high
escalate: {after: 10m, to: somebody}
inputs:
  student_id: {kind: number, title: Number of the student}
  word: {kind: password, title: A password}
start: known
steps:
  known:
    title: Is the page in the cache?
    check: cache.key
    with: {key: "grades:student:${student_id}"}
    branches:
"""
SECOND = """\
  second:
    title: Is the other in the cache?
    check: cache.key
    with: {key: $word}
    branches:
"""
DROP = """\
  drop:
    title: Delete it
    action: cache.delete_key
    with: {key: "grades:student:${student_id}"}
    verify: {step: known, holds: not present, for: 1s, within: 5s}
"""
