"""JUDGE: is a synthetic clip what it was asked to be?

`judge.ClipJudge` scores a clip against its plan, `gate.Gate` decides on the scores and says why,
`features` compares whole sets. Networks that must be fetched are optional: without them their
scores are missing, never zero.
"""
