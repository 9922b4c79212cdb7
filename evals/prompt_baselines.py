"""What the rules answer to the seeded questions of `prompt_cases.py`: the distribution that others are held against."""

RULES_ANSWERS: dict[str, dict[str, int]] = {
    "analyst/views": {"BUY": 16, "HOLD": 16, "SELL": 16},
    "risk/opinion": {"AGAINST": 16, "FOR": 32},
    "optimizer/opinion": {"FOR": 48},
    "execution/opinion": {"AGAINST": 16, "FOR": 32},
    "debate/bull": {"STRONG": 16, "WEAK": 16},
    "debate/bear": {"STRONG": 16, "WEAK": 16},
    "sentiment/read": {"ABSTAIN": 48},
}
