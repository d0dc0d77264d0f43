"""How functions of language-model training lay their arrays out."""

from __future__ import annotations

# inputs whose numbers have no column of their own to mask
ALIGNED_ONE = "[1, K-1, V]"
ROWS, ALIGNED, FLAT, ONE_COLUMN, TABLES, BATCH = (
    "[N]",
    "[..., K-1, V]",
    "[N * (K-1), V]",
    "[K, 1], one advantage a row",
    "[P, G]",
    "[N, K]",
)
# tokens of several answers with a mask's columns, and one number for each answer beside them
ADV_ROWS = "[N, K], one advantage a row"
# advantages of answers as tables beside tokens: a column, or one for each token
ADV_COLUMN, ADV_TOKENS = "[N, T], advantages [N, 1]", "[N, T], advantages [N, T]"
# ... as other numbers of answers beside tokens are, the score and what follows the last token
COLUMN_AN_ANSWER = "[N, T], one number an answer as [N, 1]"
# answers of a prompt as a table with a column a prompt
COLUMNS = "[G, P]"
# tokens of a batch one after the other, as minibatches of samples are
SAMPLES = "[N * T]"
AS_ITS_OWN = "[...]"
# a function of one entry, which is called for each; of a list with one
EACH, OF_ONE = "one entry a call", "[1]"
# single numbers that functions take lists of
IN_LISTS = {"pass_at_k": ("n", "c")}
SHIFTED = (ALIGNED, FLAT, ALIGNED_ONE)
