"""What makes a scheme sound: a tree whose maxima add up exactly."""

from collections import defaultdict
from decimal import Decimal

from msgspec import UNSET

from emulation_saas.kernel.numbers import POINTS_END
from emulation_saas.kernel.rejections import Invalid
from emulation_saas.years.events import Scheme


class SchemeCriterionTwice(Invalid):
    """Two criteria of the scheme bear the same handle."""

    code = "scheme-criterion-twice"


class ParentMissing(Invalid):
    """A criterion's parent is not in the scheme."""

    code = "parent-missing"


class ParentAfterChild(Invalid):
    """A criterion's parent must stand before it."""

    code = "parent-after-child"


class MaximumNotPositive(Invalid):
    """A criterion that is scored must be worth more than nothing."""

    code = "maximum-not-positive"


class MaximumNotTheSum(Invalid):
    """A criterion's maximum must be exactly the sum of its children's."""

    code = "maximum-not-the-sum"


class MaximaTooLarge(Invalid):
    """The maxima of all that is scored add up to more than 15 digits before the point."""

    code = "maxima-too-large"


def require_sound(scheme: Scheme) -> None:
    """Demand a tree whose maxima add up. As every parent stands before its children, there can be no cycle.

    Raises:
        SchemeCriterionTwice, ParentMissing, ParentAfterChild, MaximumNotPositive, MaximumNotTheSum: it is no such tree.
        MaximaTooLarge: a member's total could not be spelled.
    """
    handles = {node.criterion for node in scheme.criteria}
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    before: set[str] = set()
    for node in scheme.criteria:
        if node.criterion in before:
            raise SchemeCriterionTwice(node.criterion)
        if node.parent is not UNSET:
            if node.parent not in handles:
                raise ParentMissing(node.parent)
            if node.parent not in before:
                raise ParentAfterChild(node.parent)
            sums[node.parent] += node.points_max  # exact: points have at most 21 digits, a context 28
        before.add(node.criterion)
    for node in scheme.criteria:
        if node.criterion not in sums and node.points_max <= 0:
            raise MaximumNotPositive(node.criterion)
        if node.criterion in sums and node.points_max != sums[node.criterion]:
            raise MaximumNotTheSum(node.criterion)
    if sum(scheme.leaves().values()) >= POINTS_END:
        raise MaximaTooLarge
