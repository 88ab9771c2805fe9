"""A program for the command executor: JSON on stdin, JSON on stdout, nothing of WattSwarm in it."""

import collections
import json
import sys

request = json.load(sys.stdin)
words: list[str] = request["inputs"]["text"].casefold().split()
most = collections.Counter(words).most_common(3)
answer = f"{len(words)} words, {len(set(words))} different"
json.dump(
    {
        "answer": answer,
        "most_common": [{"word": word, "count": count} for word, count in most],
        "check_summary": f"counted {answer}",
    },
    sys.stdout,
)
