"""Laws of random weights, as frozen values: how 32 random bits become a weight on the 2^-24 grid."""

from slth.laws.discrete import Dyadic, Signs, Thinned
from slth.laws.logarithmic import LogUniform
from slth.laws.uniform import Product, Uniform

Law = Uniform | LogUniform | Signs | Dyadic | Thinned
"""A law that the weights of a source can have."""

__all__ = ["Dyadic", "Law", "LogUniform", "Product", "Signs", "Thinned", "Uniform"]
