"""Pages of elsewhere in the owner's browser, and what a browser is told to hold ours to."""

from __future__ import annotations

from contextlib import AbstractContextManager

from playwright.sync_api import Browser, expect

from tests.gateway.command import Process, gateway_process
from tests.page.conftest import PageOf, address
from tests.servers import Server, serve, text_reply

LIMIT = 150_000
# Everything a page can send without being asked for leave: a form, a beacon, a request whose answer it may not read.
FORM = """<form method="post" enctype="text/plain" action="{0}/admin/api/keys">
<input name='{{"name":"foreign","x":"' value='"}}'><button>Send</button></form>"""
SEND = """async (own) => {
  const body = JSON.stringify({name: "foreign"});
  navigator.sendBeacon(`${own}/admin/api/keys`, body);
  await fetch(`${own}/admin/api/keys`, {method: "POST", mode: "no-cors", body}).catch(() => null);
  return fetch(`${own}/admin/api/status`).then(() => "read", () => "refused");
}"""
SMUGGLE = """() => [
  () => { document.body.innerHTML += '<img src="x:" onerror="window.ran = 1">'; return "written"; },
  () => { document.body.setAttribute("onclick", "window.ran = 1"); document.body.click(); return "set"; },
  () => { const script = document.createElement("script"); script.append("window.ran = 1"); document.body.append(script); return "appended"; },
].map((way) => { try { return way(); } catch { return "kept out"; } })"""


def test_a_page_of_elsewhere_can_neither_read_nor_change_anything(browser: Browser) -> None:
    with gateway_process() as process, elsewhere(FORM.format(address(process))) as evil:
        page = browser.new_page()
        page.goto(evil.url)
        assert page.evaluate(SEND, address(process)) == "refused"
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_text("error")).to_be_visible()
        page.close()
        assert "foreign" not in {key["name"] for key in process.admin("keys")[1]["keys"]}


def test_no_page_may_frame_ours(browser: Browser) -> None:
    with gateway_process() as process, elsewhere(f'<iframe src="{address(process)}/"></iframe>') as evil:
        page = browser.new_page()
        page.goto(evil.url)
        page.wait_for_load_state("networkidle")
        assert page.frames[1].get_by_text("Jackfield").count() == 0
        page.close()


def test_a_script_that_somebody_smuggles_in_does_not_run(page_of: PageOf) -> None:
    with gateway_process() as process:
        page = page_of(process, forgive="Content Security Policy|requires 'Trusted")
        assert page.evaluate(SMUGGLE) == ["kept out", "kept out", "appended"]
        assert page.evaluate("() => window.ran") is None


def test_the_first_view_is_small(page_of: PageOf) -> None:
    with gateway_process() as process:
        page = page_of(process)
        page.wait_for_load_state("networkidle")
        sizes = page.evaluate("() => performance.getEntries().map((each) => each.transferSize ?? 0)")
        assert 10_000 < sum(sizes) <= LIMIT


def test_a_name_that_is_not_this_machines_is_refused() -> None:
    with gateway_process() as process:
        assert _status(process, host="rebound.example") == 403
        assert _status(process, host=f"localhost:{process.admin_port}") == 200
        assert _status(process, host="127.0.0.1", origin="https://elsewhere.example") == 403


def elsewhere(text: str) -> AbstractContextManager[Server]:
    """Serve a page of another origin."""
    return serve(text_reply(text, content_type="text/html"))


def _status(process: Process, **headers: str) -> int:
    return process.request("GET", "/", port=process.admin_port, **headers)[0]
