"""Who declared an emergency, who decided on it and who told the figures is never lost."""

from tests.triggers.data import FLOOD_INDICATOR
from tests.triggers.flow import Flow
from tests.triggers.test_activations import DAY, DECLARATION, FLOOD, report
from tests.two_persons import CHECKER


async def test_each_move_of_an_activation_and_each_batch_of_figures_is_recorded(flow: Flow) -> None:
    flow.go_to(DAY)
    await flow.set_up(FLOOD_INDICATOR, FLOOD)
    await flow.record(FLOOD_INDICATOR, [report("12", 10)])
    activation = await flow.created("/activations", DECLARATION)

    about = f"activations/{activation['id']}"
    opened, declared = (await flow.got("/audit", object=about))["items"]
    figures, *_ = (await flow.got("/audit", object="indicators/flood-affected-households"))["items"]
    assert (declared["subject"], declared["before"]) == ("officer@test", None)
    assert declared["after"] == {"state": "proposed"}
    assert declared["reason"] == DECLARATION["reason"]
    assert opened["subject"] == CHECKER
    assert (opened["before"], opened["after"]) == ({"state": "proposed"}, {"state": "open"})
    assert figures["after"] == {"received": 1, "recorded": 1, "set_aside": 0}
