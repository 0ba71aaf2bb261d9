"""The filter language: one for the command line, Python and the web.

Text becomes a tree, the tree parametrised SQL over the index; nothing is evaluated.
"""

from runfolio.query.filter.condition import Condition, Order, Slow, compile_filter, compile_sort

__all__ = ["Condition", "Order", "Slow", "compile_filter", "compile_sort"]
