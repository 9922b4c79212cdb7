"""One child over several venues: who gets how much, what came of it, and several venues as one."""
