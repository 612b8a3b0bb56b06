"""What expression a face shows, to two classifiers that others made: `judge.ExpressionJudge`."""
