"""What a gateway made and kept, by its ledger (ledger.hpp), against what the cloud's database holds."""
GROUP = 16  # ledger.hpp: group_size


class Ledger:
    def __init__(self, path):
        self.findings, self.deltas = set(), {}
        self.kept_findings, self.kept_deltas = set(), set()
        self.refused_findings, self.refused_deltas = set(), set()
        self.untold = {"findings": 0, "deltas": 0}  # refused, and the life ended before a later batch told of it
        self.lives = 0
        self.life_of = {}  # finding -> in which life it was made
        self.waiting = dict.fromkeys(self.untold, 0)
        self.path, self.read = path, 0

    def refresh(self):
        """Takes in what was added to the file."""
        with open(self.path, encoding="ascii") as lines:
            lines.seek(self.read)
            text = lines.read()
        text = text[:text.rfind("\n") + 1]  # the last line may be being written
        self.read += len(text)
        for line in text.splitlines():
            self.take(line)
        return self

    def take(self, line):
        what, *numbers = line.split()
        number = int(numbers[0]) if numbers else 0
        if what == "L":
            self.lives += 1
            for kind, count in self.waiting.items():
                self.untold[kind] += count
            self.waiting = dict.fromkeys(self.waiting, 0)
        elif what == "F":
            self.findings.add(number)
            self.life_of[number] = self.lives
        elif what == "D":
            self.deltas[number] = int(numbers[1])
        elif what in "fd":
            (self.kept_findings if what == "f" else self.kept_deltas).add(number)
            self.waiting = dict.fromkeys(self.waiting, 0)  # losses travel with the next batch that is kept
        elif what == "x":
            self.refused_findings.add(number)
            self.waiting["findings"] += 1
        elif what == "y":
            self.refused_deltas.add(number)
            self.waiting["deltas"] += 1

    def waiting_findings(self, life):
        """Made in this life, and neither kept nor refused."""
        return {n for n in self.findings - self.kept_findings - self.refused_findings if self.life_of[n] == life}

    def observations(self):
        return 10 * len(self.findings)


class Cloud:
    """One gateway's part of what lab_cloud_reader printed."""

    def __init__(self, rows, gateway):
        mine = [row for row in rows if row["gateway"] == gateway]
        self.findings = self.digits((row["cause"], row["count"]) for row in mine if row["row"] == "alert"
                                    and row["cause"].startswith("soak-"))
        keys = [(row["text"], row["count"]) for row in mine if row["row"] == "key"]
        self.deltas = self.digits(key for key in keys if key[0].startswith("soak-"))
        self.observations = sum(count for text, count in keys if text == "observations")
        self.overflow = sum(row["overflow"] for row in mine if row["row"] == "profile")
        self.losses = {}
        for row in mine:
            if row["row"] == "loss":
                self.losses[row["kind"]] = self.losses.get(row["kind"], 0) + row["count"]
        self.health = [row["cause"] for row in mine if row["row"] == "alert" and row["detector"] == "sensor.health"]

    @staticmethod
    def digits(pairs):
        """Number -> how often it is there."""
        sums, found = {}, {}
        for name, count in pairs:
            sums[name] = sums.get(name, 0) + count
        for name, total in sums.items():
            number = int(name.removeprefix("soak-")) * GROUP
            while total:
                if total % 4:
                    found[number] = total % 4
                number, total = number + 1, total // 4
        return found


def compare(gateway, ledger, cloud, rate, gone):
    """`rate`: observations a second; `gone`: findings that waited for room on a full disk at a SIGKILL. Returns lines that say what is wrong; none if the accounts add up."""
    wrong = []

    def check(good, text):
        if not good:
            wrong.append(f"{gateway}: {text}")

    for kind, made, kept, refused, there in (
            ("findings", ledger.findings, ledger.kept_findings, ledger.refused_findings, cloud.findings),
            ("deltas", set(ledger.deltas), ledger.kept_deltas, ledger.refused_deltas, cloud.deltas)):
        lost = sorted(kept - there.keys())
        check(not lost, f"{len(lost)} {kind} that the spool had are not in the cloud: {lost[:10]}")
        twice = sorted(number for number, times in there.items() if times != 1)
        check(not twice, f"{len(twice)} {kind} are in the cloud more than once: {twice[:10]}")
        foreign = sorted(there.keys() - made)
        check(not foreign, f"{len(foreign)} {kind} that nobody made are in the cloud: {foreign[:10]}")
        both = sorted(refused & there.keys())
        check(not both, f"{len(both)} {kind} that the spool refused are in the cloud: {both[:10]}")
        reported = cloud.losses.get(kind, 0)
        least, most = len(refused) - ledger.untold[kind], len(refused)
        check(least <= reported <= most, f"{len(refused)} {kind} were refused by the spool, of which "
              f"{ledger.untold[kind]} could not be reported, and {reported} are reported as lost")
        # What a SIGKILL found neither kept nor refused: the last moments of a life (deltas wait 250 ms for a write).
        open_ended = made - kept - refused - there.keys()
        most = rate // 10 * (ledger.lives - 1) + (gone if kind == "findings" else 0)
        check(len(open_ended) <= most,
              f"{len(open_ended)} {kind} vanished in {ledger.lives} lives")
    counted = sum(ledger.deltas[number] for number in cloud.deltas if number in ledger.deltas)
    check(counted == cloud.observations,
          f"the deltas in the cloud tell of {counted} observations, its counts say {cloud.observations}")
    lost = sum(ledger.deltas[number] for number in ledger.refused_deltas)
    reported = cloud.losses.get("observations", 0)
    check(reported <= lost and (reported == lost or ledger.untold["deltas"] != 0),
          f"{lost} observations were in deltas that the spool refused, and {reported} are reported as lost")
    accusing = [cause for cause in cloud.health if cause not in ("spool lost findings", "spool lost deltas",
                                                                "spool lost observations")]
    check(not accusing, f"an honest gateway is accused: {accusing}")
    check(cloud.overflow == 0, f"{cloud.overflow} behaviours found no room in the cloud")
    return wrong
