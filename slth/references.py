"""The papers behind the package, one frozen value each, with the slips that are known in them.

A field that could not be confirmed is None. A theorem file names its paper by one of these values, so that
every bound, certificate and figure can say where it comes from.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Erratum:
    """A slip, an omission or a trap in a paper, and what to read instead.

    Attributes:
        locator: the place in the paper or in its released code.
        issue: what is wrong, missing or easily misread.
        resolution: what this package does about it; None if it makes no use of the place.
        noted_by: who found it; None for this project.
    """

    locator: str
    issue: str
    resolution: str | None = None
    noted_by: str | None = None


@dataclass(frozen=True)
class Reference:
    """One paper.

    Attributes:
        key: short name, first author and year.
        authors: family names, in the order of the paper.
        year: of the venue.
        title: as in the venue.
        venue: journal with volume and pages, or conference; None if not confirmed.
        arxiv: identifier, with the version if one was read ("2006.07990v2"); None if there is none or it is
            not known.
        errata: known slips.

    >>> LUEKER1998.cite()
    'Lueker (1998)'
    """

    key: str
    authors: tuple[str, ...]
    year: int
    title: str
    venue: str | None
    arxiv: str | None
    errata: tuple[Erratum, ...] = ()

    def __post_init__(self) -> None:
        if not self.authors or not all(self.authors):
            raise ValueError(
                f"reference {self.key!r} needs at least one author, each a family name; got {self.authors}"
            )

    def cite(self) -> str:
        """The citation in running text: all of up to two authors, else the first and "et al.", then the year.

        >>> PENSIA2020.cite()
        'Pensia et al. (2020)'
        """
        names = " and ".join(self.authors) if len(self.authors) <= 2 else f"{self.authors[0]} et al."
        return f"{names} ({self.year})"

    def full(self) -> str:
        """Authors, year, title, venue and arXiv identifier in one line; what is not known is left out.

        >>> SALMON2011.full()
        'Salmon, Moraes, Dror, Shaw (2011). Parallel random numbers: as easy as 1, 2, 3. SC 2011.'
        """
        parts = [f"{', '.join(self.authors)} ({self.year})", self.title, self.venue]
        if self.arxiv is not None:
            parts.append(f"arXiv {self.arxiv}")
        return ". ".join(part for part in parts if part) + "."


LUEKER1998 = Reference(
    key="Lueker1998",
    authors=("Lueker",),
    year=1998,
    title="Exponentially small bounds on the expected optimum of the partition and subset sum problems",
    venue="Random Structures & Algorithms 12, 51-62",
    arxiv=None,
    errata=(
        Erratum(
            locator="Corollary 2.5, as later papers restate it",
            issue="the universal constant C has no value",
            resolution="C stays a symbol that the caller supplies; explicit constants are derived beside it",
        ),
        Erratum(
            locator="Corollary 3.3, as later papers restate it",
            issue="easily merged with Corollary 2.5: it is about laws that contain a uniform one, and C "
            "depends on the share",
        ),
    ),
)

DACUNHA2023 = Reference(
    key="daCunha2023",
    authors=("da Cunha", "d'Amore", "Giroire", "Lesfari", "Natale", "Viennot"),
    year=2023,
    title="Revisiting the Random Subset Sum Problem",
    venue="ESA 2023, LIPIcs 274, 37:1-37:11",
    arxiv="2204.13929",
    errata=(
        Erratum(
            locator="main theorem",
            issue="the universal constants C and kappa have no value",
            resolution="both stay symbols that the caller supplies; explicit constants are derived beside them",
        ),
        Erratum(
            locator="main lemma on the covered share",
            issue="the drift constant 1/4 is not sharp",
            resolution="1/2 is proved and attained: docs/proofs/random_subset_sum.md",
        ),
    ),
)

MALACH2020 = Reference(
    key="Malach2020",
    authors=("Malach", "Yehudai", "Shalev-Shwartz", "Shamir"),
    year=2020,
    title="Proving the Lottery Ticket Hypothesis: Pruning is All You Need",
    venue="ICML 2020",
    arxiv="2002.00585",
    errata=(
        Erratum(
            locator="proof of Theorem 2.1, units of different outputs",
            issue="a trap: outputs need pools of their own, or shared units; one pool with a spare unit per further "
            "output is too small: for one input, 200 weights 1 and tolerance 1/2, some 83 of 332 units fit",
            resolution="outputs share units: one u, and v's of their own, so the union bound needs no spare",
        ),
        Erratum(
            locator="proof of Theorem 2.1, choice of a unit",
            issue="a trap: |u - |w|| <= t admits a u of the wrong sign for |w| < t, which serves the other side",
            resolution="the sign of u is demanded too; the chance t^2 / 4 stays",
        ),
    ),
)

PENSIA2020 = Reference(
    key="Pensia2020",
    authors=("Pensia", "Rajput", "Nagle", "Vishwakarma", "Papailiopoulos"),
    year=2020,
    title="Optimal Lottery Tickets via Subset Sum: Logarithmic Over-Parameterization is Sufficient",
    venue="NeurIPS 2020",
    arxiv="2006.07990",
    errata=(
        Erratum(
            locator="Theorem 1",
            issue="the base of the logarithm is not stated, and the constant C has no value",
            resolution="natural logarithms, C supplied by the caller; explicit constants are derived beside it",
        ),
        Erratum(
            locator="Corollary 1",
            issue="two small typos, in the notation and in the mixing coefficients",
            noted_by="Natale et al. (2024)",
        ),
        Erratum(
            locator="released code, subset sum experiment",
            issue="one set of samples is drawn per row of the weight matrix and used for all weights of the "
            "row; no random "
            "network is built",
            resolution="sources here are random networks, and every product of the gadget is used as it was drawn",
        ),
    ),
)

CHIJIWA2021 = Reference(
    key="Chijiwa2021",
    authors=("Chijiwa", "Yamaguchi", "Ida", "Umakoshi", "Inoue"),
    year=2021,
    title="Pruning Randomly Initialized Neural Networks with Iterative Randomization",
    venue="NeurIPS 2021",
    arxiv="2106.09269v2",
)

FISCHER2021 = Reference(
    key="Fischer2021",
    authors=("Fischer", "Gadhikar", "Burkholz"),
    year=2021,
    title="Lottery Tickets with Nonzero Biases",
    venue=None,
    arxiv="2110.11150",
    errata=(
        Erratum(
            locator="released code, construction of two layers",
            issue="the candidates of a failing subset sum are drawn anew, and an extra width is counted",
            resolution="one source is drawn; a failed subset sum is counted as failed",
        ),
    ),
)

DIFFENDERFER2021 = Reference(
    key="Diffenderfer2021",
    authors=("Diffenderfer", "Kailkhura"),
    year=2021,
    title="Multi-Prize Lottery Ticket Hypothesis: Finding Accurate Binary Neural Networks by Pruning A Randomly "
    "Weighted Network",
    venue="ICLR 2021",
    arxiv="2103.09377",
    errata=(
        Erratum(
            locator="width of the binary source, as later papers restate it",
            issue="the universal constant C has no value, and delta does not appear",
            resolution="C stays a symbol that the caller supplies; a width with every constant is derived beside it",
        ),
    ),
)

SREENIVASAN2022 = Reference(
    key="Sreenivasan2022",
    authors=("Sreenivasan", "Rajput", "Sohn", "Papailiopoulos"),
    year=2022,
    title="Finding Nearly Everything within Random Binary Networks",
    venue="AISTATS 2022, PMLR 151, 3531-3541",
    arxiv="2110.08996",
    errata=(
        Erratum(
            locator="width and depth, as later papers restate them",
            issue="the universal constants have no value, and delta does not appear",
            resolution="C stays a symbol that the caller supplies; width and depth with every constant are derived "
            "beside it, the width with one logarithm instead of two",
        ),
    ),
)

ORSEAU2020 = Reference(
    key="Orseau2020",
    authors=("Orseau", "Hutter", "Rivasplata"),
    year=2020,
    title="Logarithmic Pruning is All You Need",
    venue="NeurIPS 2020",
    arxiv="2006.12156",
    errata=(
        Erratum(
            locator="hyperbolic law of the weights, read for both factors of a product",
            issue="if u and v are both log-uniform, log |u v| has a triangular law: the cells are not equally likely",
            resolution="the rows are counted with the exact chances of the product, and the octaves of the law chosen "
            "for them: docs/proofs/golden_ratio.md",
        ),
    ),
)

BURKHOLZ2022 = Reference(
    key="Burkholz2022",
    authors=("Burkholz",),
    year=2022,
    title="Most Activation Functions Can Win the Lottery Without Excessive Depth",
    venue="NeurIPS 2022",
    arxiv="2205.02321",
    errata=(
        Erratum(
            locator="main theorem",
            issue="the universal constant C has no value",
            resolution="C stays a symbol that the caller supplies; explicit constants are derived beside it",
        ),
        Erratum(
            locator="released code, Utils/pruning.py, exhaustive",
            issue="called with 10, it looks at subsets of 0 to 9 samples only (range excludes its end), and never at "
            "all of fewer than 10 samples",
            resolution="subsets of every size are looked at",
        ),
        Erratum(
            locator="released code, Utils/pruning.py, solve_subset_sum",
            issue="the samples are drawn again until a subset fits, and only counted as added width; every weight has "
            "draws of its own, so no ticket of a fixed random network is built",
            resolution="the source is drawn once; a subset sum that misses its tolerance is counted as failed",
        ),
    ),
)

NATALE2024 = Reference(
    key="Natale2024",
    authors=("Natale", "Ferré", "Giambartolomei", "Giroire", "Mallmann-Trenn"),
    year=2024,
    title="On the Sparsity of the Strong Lottery Ticket Hypothesis",
    venue="NeurIPS 2024",
    arxiv="2410.14754",
    errata=(
        Erratum(
            locator="Corollary 1, proof (amplification)",
            issue="the samples are cut into r = (4 / c_thm) ln(k / epsilon) blocks and a subset of size k is sought "
            "inside one, so k has to be a share of n / r; k <= n / 2 does not give that (gamma = 1/2, epsilon = 0.01, "
            "k = 50, c_hyp = 1, c_thm = 0.3: 114 blocks of 13 samples)",
            resolution="repaired with one logarithm and every constant: docs/proofs/fixed_size_subset_sum.md",
        ),
        Erratum(
            locator="Theorem 3",
            issue="the density rho gamma' is about twice what the construction keeps, because the first matrix of a "
            "pair keeps at most one weight per hidden unit",
            resolution="for equal widths gamma' / 2 + 1 / (2 d)",
        ),
        Erratum(
            locator="Theorem 2, proof",
            issue="the factor c' of the Chebyshev step should be the inverse of mu^2 (1 - lambda / mu)^2; phi(0) is "
            "printed as 1 / (2 pi) and is 1 / sqrt(2 pi)",
        ),
        Erratum(
            locator="appendix A",
            issue="log2(e / gamma) <= 1 should read >= 1; m_t also stands for the size of the ticket; in the lower "
            "bounds n counts all parameters, not samples per weight",
        ),
    ),
)

GADHIKAR2023 = Reference(
    key="Gadhikar2023",
    authors=("Gadhikar", "Mukherjee", "Burkholz"),
    year=2023,
    title="Why Random Pruning Is All We Need to Start Sparse",
    venue="ICML 2023",
    arxiv="2210.02412",
    errata=(
        Erratum(
            locator="abstract, width factor 1 / log(1 / sparsity)",
            issue="easily misread for strong tickets: as the source becomes dense the factor tends to 0, yet a dense "
            "source needs the full width; it is the factor for sources whose weights are trained",
            resolution="the strong construction is thinned subset sums, whose factor 1 / p per matrix is measured",
        ),
    ),
)

XIONG2023 = Reference(
    key="Xiong2023",
    authors=("Xiong", "Liao", "Kyrillidis"),
    year=2023,
    title="Strong Lottery Ticket Hypothesis with epsilon-perturbation",
    venue="AISTATS 2023, PMLR 206, 6879-6902",
    arxiv="2210.16589",
    errata=(
        Erratum(
            locator="application to networks",
            issue="a trap: the perturbation that a subset sum needs depends on its target, so subset sums that share a "
            "weight cannot be perturbed one by one",
            resolution="only second factors v, which no two subset sums of a pair share, are perturbed",
        ),
    ),
)

SALMON2011 = Reference(
    key="Salmon2011",
    authors=("Salmon", "Moraes", "Dror", "Shaw"),
    year=2011,
    title="Parallel random numbers: as easy as 1, 2, 3",
    venue="SC 2011",
    arxiv=None,
)

FISCHER2022_PLANT = Reference(
    key="Fischer2022plant",
    authors=("Fischer", "Burkholz"),
    year=2022,
    title="Plant 'n' Seek: Can You Find the Winning Ticket?",
    venue="ICLR 2022",
    arxiv="2111.11153",
    errata=(
        Erratum(
            locator="Lemma 1 (error propagation) and its proof",
            issue="with |W| the largest modulus of an entry, |W e| <= |W| |e| in l2 is false (all ones): one layer of "
            "a network of width 10 and depth 5 within its allowance gives an error of 96.6 instead of 0.2",
            resolution="spectral norms in its place; here the l2 recursion of slth.errors.recursion is used",
        ),
        Erratum(
            locator="Lemma 1, main text",
            issue="prints x of layer l and W of layer l inside the product; the appendix has x of layer l - 1",
        ),
        Erratum(
            locator="Theorem 2",
            issue="it rests on Lemma 1, and its union bound lets two target neurons claim one source neuron",
        ),
    ),
)

BURKHOLZ2022_UNIVERSAL = Reference(
    key="Burkholz2022universal",
    authors=("Burkholz", "Laha", "Mukherjee", "Gotovos"),
    year=2022,
    title="On the Existence of Universal Lottery Tickets",
    venue="ICLR 2022",
    arxiv="2111.11146",
)

FERRE2026 = Reference(
    key="Ferre2026",
    authors=("Ferré", "Giroire", "Mallmann-Trenn", "Natale"),
    year=2026,
    title="Structured vs. Unstructured Pruning: An Exponential Gap",
    venue=None,
    arxiv="2603.02234v3",
    errata=(
        Erratum(
            locator="abstract, versions 1 and 2",
            issue="Omega(d / epsilon) hidden units for neuron masks against O(d log(1 / epsilon)) for weight masks; "
            "version 3 states Omega(1 / epsilon) and O(log(1 / epsilon))",
            resolution="version 3 is used; the derived bound pi / (16 epsilon) has no factor d",
        ),
        Erratum(
            locator="abstract, all versions",
            issue="it does not say what follows the output; read linearly, weight masks meet the bound for neuron "
            "masks too, with the axes as further kinks, so O(log(1 / epsilon)) needs a ReLU behind the output",
            resolution="the bounds say which output they are for, and there is one for neuron masks with a ReLU behind",
        ),
    ),
)

BORGS2001 = Reference(
    key="Borgs2001",
    authors=("Borgs", "Chayes", "Pittel"),
    year=2001,
    title="Phase transition and finite-size scaling for the integer partitioning problem",
    venue="Random Structures & Algorithms 19, 247-288",
    arxiv=None,
)

BORGS2004 = Reference(
    key="Borgs2004",
    authors=("Borgs", "Chayes", "Mertens", "Pittel"),
    year=2004,
    title="Phase diagram for the constrained integer partitioning problem",
    venue="Random Structures & Algorithms 24, 315-380",
    arxiv=None,
)

KUMAR2025 = Reference(
    key="Kumar2025",
    authors=("Kumar", "Natale"),
    year=2025,
    title="Quantization vs Pruning: Insights from the Strong Lottery Ticket Hypothesis",
    venue=None,
    arxiv="2508.11020v1",
    errata=(
        Erratum(
            locator="Lemma 5 (as restated from the submission)",
            issue="products of two multiples of delta cannot be turned into uniform multiples of delta^2 by rejection "
            "with constant acceptance: a share of the grid that grows to 1 is no product at all (.22, .42, .53, .62, "
            ".65 for delta = 2^-1 to 2^-5), and multiples of delta come up with a probability of order k 2^-k",
            resolution="the products are used as they are; the covered share of their sums is shown to grow by a "
            "constant drift, so O(log(1 / delta)) candidates suffice all the same: docs/proofs/quantised.md",
        ),
    ),
)

KUMAR2026 = Reference(
    key="Kumar2026",
    authors=("Kumar", "Natale"),
    year=2026,
    title="A Unified Framework for Quantized and Continuous Strong Lottery Tickets",
    venue=None,
    arxiv="2607.03860",
    errata=(
        Erratum(
            locator="discrete random subset sum theorem (as restated)",
            issue="the universal constants C and kappa have no value",
            resolution="both stay symbols that the caller supplies; explicit constants are derived beside them",
        ),
    ),
)

OTSUKA2025_FROZEN = Reference(
    key="Otsuka2025frozen",
    authors=(
        "Otsuka",
        "Chijiwa",
        "López García-Arias",
        "Okoshi",
        "Kawamura",
        "Chu",
        "Fujiki",
        "Takeuchi",
        "Motomura",
    ),
    year=2025,
    title="Partially Frozen Random Networks Contain Compact Strong Lottery Tickets",
    venue="TMLR 2025",
    arxiv="2402.14029v3",
    errata=(
        Erratum(
            locator="locking in a pair of matrices",
            issue="a trap: a locked weight of the first matrix that reads another input than the unit's own puts "
            "several incoming weights on one hidden unit, and the pair is no longer a layer with perturbed weights",
            resolution="weights are locked in second matrices only",
        ),
    ),
)

REFERENCES = (
    LUEKER1998,
    BORGS2001,
    BORGS2004,
    SALMON2011,
    MALACH2020,
    PENSIA2020,
    ORSEAU2020,
    CHIJIWA2021,
    FISCHER2021,
    DIFFENDERFER2021,
    SREENIVASAN2022,
    BURKHOLZ2022,
    FISCHER2022_PLANT,
    BURKHOLZ2022_UNIVERSAL,
    DACUNHA2023,
    GADHIKAR2023,
    XIONG2023,
    NATALE2024,
    KUMAR2025,
    OTSUKA2025_FROZEN,
    FERRE2026,
    KUMAR2026,
)
"""All of them, by year."""
