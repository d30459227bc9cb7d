"""The errors of the operator library."""

from datamate.core.errors import DatamateError, InvalidInputError


class RowError(DatamateError):
    """This row cannot be processed by the operator."""

    code = "row_error"


class OperatorContractError(DatamateError):
    """The operator broke its contract, so nothing it returned can be trusted."""

    code = "operator_contract"


class UnknownOperatorError(InvalidInputError):
    """There is no operator by that name."""

    code = "unknown_operator"


class InvalidParamsError(InvalidInputError):
    """The parameters do not fit the operator."""

    code = "invalid_params"
