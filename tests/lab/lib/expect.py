"""Compares alerts with what attacks must raise.

usage: expect.py ALERTS.jsonl WEBHOOK.jsonl [STANDING.txt] ATTACK.sh...     [--quiet]
ALERTS: what `iris-shell -c alerts --json` says, one alert a line. WEBHOOK: webhook.py's log.
The headers of the attack scripts say what is expected, and standing.txt what is so before any attack (docs/lab.md). Prints a table; exits 1 when an expected alert is
missing in either, when one alert was stored twice, when a stored revision was not delivered, or when a signature was bad. With --quiet nothing is printed and only
the first of these is looked at.
"""
import json
import re
import shlex
import sys

quiet = "--quiet" in sys.argv
alerts_file, webhook_file, *attacks = [argument for argument in sys.argv[1:] if argument != "--quiet"]


def lines_of(path):
    found = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            try:
                found.append(json.loads(line))
            except ValueError:
                pass
    return [entry for entry in found if isinstance(entry, dict)]


def fits(alert, wanted):
    entity, peer = alert.get("entity") or {}, alert.get("peer") or {}
    places = {
        "detector": [alert.get("detector", "")],
        "entity": [entity.get("name", ""), entity.get("container", "")],
        "peer": [peer.get("name", ""), peer.get("address", "")],
        "country": [peer.get("country", "")],
        "names": [entity.get("name", ""), peer.get("name", ""), peer.get("address", ""), entity.get("kind", ""), peer.get("kind", "")],
    }
    for key, value in wanted:
        alternatives = value.split("|")
        if key == "text":
            if not any(alternative in alert.get("title", "") for alternative in alternatives):
                return False
        elif not any(alternative == place for alternative in alternatives for place in places[key]):
            return False
    return True


def lines_in_headers(kind):
    start = f"# {kind}: "
    for path in attacks:
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.startswith(start):
                    yield path.rsplit("/", 1)[-1].removesuffix(".sh").removesuffix(".txt"), [tuple(word.split("=", 1)) for word in shlex.split(line[len(start):])]


alerts = lines_of(alerts_file)
deliveries = lines_of(webhook_file)
delivered = [entry["alert"] for entry in deliveries if entry["signature"] == "ok"]
bad_signatures = sum(entry["signature"] != "ok" for entry in deliveries)

rows, missing, used = [], 0, set()
for attack, wanted in lines_in_headers("expect"):
    stored = next((alert for alert in alerts if fits(alert, wanted) and alert.get("id") not in used), None)
    if stored:
        used.add(stored.get("id"))
    sent = stored and any(alert.get("id") == stored.get("id") and fits(alert, wanted) for alert in delivered)
    missing += not (stored and sent)
    rows.append((attack, dict(wanted)["detector"], stored, sent))

if quiet:
    sys.exit(1 if missing else 0)

ids = [alert.get("id") for alert in alerts]
doubled = {one for one in ids if ids.count(one) > 1}
# Two alerts of the same detector between the same two are one alert stored twice, unless their sentences differ.
sentences = [(a.get("detector"), (a.get("entity") or {}).get("name"), json.dumps(a.get("peer")), a.get("title")) for a in alerts]
doubled |= {str(one) for one in sentences if sentences.count(one) > 1}

print(f"{'attack':17} {'detector':20} {'shell':6} {'webhook':8} what was said")
for attack, detector, stored, sent in rows:
    said = re.sub(r"\s+", " ", stored.get("title", "")) if stored else "-"
    print(f"{attack:17} {stored['detector'] if stored else detector:20} {'yes' if stored else 'NO':6} {'yes' if sent else 'NO':8} {said}")
others = [alert for alert in alerts if alert.get("id") not in used]
explained = [(attack, wanted) for kind in ("expect", "also") for attack, wanted in lines_in_headers(kind)]
if others:
    print("\nfurther alerts, and the attack that explains them:")
    for alert in reversed(others):
        attack = next((attack for attack, wanted in explained if fits(alert, wanted)), "?")
        print(f"{attack:17} {alert.get('detector', '?'):20} {'':6} {'':8} {alert.get('title', '')}")
print(f"\n{len(rows) - missing} of {len(rows)} expected alerts, in the shell and at the webhook; {len(others)} further ones; "
      f"{len(delivered)} deliveries, {len({(a.get('id'), a.get('revision')) for a in delivered})} distinct, {bad_signatures} with a bad signature")
# Every revision that was stored must have come to the webhook as well.
lost = [(a, sorted(set(range(1, a.get("revision", 1) + 1)) - {d.get("revision") for d in delivered if d.get("id") == a.get("id")})) for a in alerts]
lost = [(a, revisions) for a, revisions in lost if revisions]
for alert, revisions in lost:
    print("LOST", alert.get("id"), "revisions", revisions, alert.get("title", ""))
for one in sorted(map(str, doubled)):
    print("DOUBLED", one)
sys.exit(1 if missing or doubled or lost or bad_signatures else 0)
