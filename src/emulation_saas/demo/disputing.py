"""The script of one dispute: a member contests its appraisal, the council upholds it, the bloc appraises again."""

from collections.abc import Sequence
from hashlib import sha256

from emulation_saas.demo.illustrations import marked
from emulation_saas.demo.scene import COUNCIL_MEMBER, SECRETARY, Scene, Step, representative


def dispute(scene: Scene, scored: Sequence[Step]) -> list[Step]:
    """Return the dispute from filing to correction. All of it is made up.

    Args:
        scene: who disputes, and what is said.
        scored: the steps that scored the year. What is contested is that the appraisal gives less than was claimed.
    """
    made = scene.made.dispute
    by_key = {step.key: step.body for step in scored}
    contested = by_key[f"appraisal.{made.agency}"]
    (claimed,) = (
        claim["points"]
        for claim in by_key[f"self-score.{made.agency}"]["points"]
        if claim["criterion"] == contested["criterion"]
    )
    title = marked(made.evidence)
    evidence = {
        "sha256": sha256(title.encode()).hexdigest(),  # there is no such file: it is that of its title
        "title": title,
        "media_type": "application/pdf",
        "size": made.evidence_bytes,
        "held_by": made.agency,
    }
    filing = {
        "dispute": made.dispute,
        "agency": made.agency,
        "about": "score",
        "text": marked(made.text),
        "evidence": [evidence],
    }
    correction = {
        **contested,
        "points": claimed,
        "reasons": marked(made.correction),
        "dispute": made.dispute,
    }
    name = next(name for name, handle in scene.handles.items() if handle == made.agency)
    says, path = marked(f"dispute of {name}"), f"{scene.covered}/disputes"
    return [
        Step(
            "dispute",
            f"file the {says}",
            representative(made.agency),
            path,
            filing,
            contests=f"appraisal.{made.agency}",
        ),
        Step(
            "dispute.answer",
            f"answer the {says}",
            SECRETARY,
            f"{path}/{made.dispute}/answers",
            {"text": marked(made.answer)},
        ),
        Step(
            "dispute.uphold",
            f"uphold the {says}",
            COUNCIL_MEMBER,
            f"{path}/{made.dispute}/uphold",
            {"reasons": marked(made.uphold)},
        ),
        Step(
            f"appraisal.{made.agency}.again",
            marked(f"appraise {name} again: {contested['points']} becomes {claimed}"),
            SECRETARY,
            f"{scene.covered}/appraisals",
            correction,
        ),
    ]
