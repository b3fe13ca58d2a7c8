import http.client
import json

import pytest
import requests

from gatewise.serving.http import LARGEST_BODY, application
from gatewise.serving.predictor import Predictor
from tests.serving.served import serving
from tests.serving.test_predictor import LABELS, model_folder, wav


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    predictor = Predictor.load(model_folder(tmp_path_factory.mktemp("served"), "audio"))
    with serving(application(predictor, "toy")) as (address, _):
        yield address


def test_health_says_what_is_served(address):
    assert requests.get(f"{address}/health").json() == {
        "model": "toy",
        "run": "digits/gru/seed-0",
        "takes": "audio",
    }


def test_a_sound_file_and_the_same_rows_get_the_same_answer(address):
    import base64

    sound = requests.post(f"{address}/predict", wav(), headers={"content-type": "audio/wav"})
    assert sound.status_code == 200
    assert sound.json()["label"] in LABELS
    encoded = base64.b64encode(wav()).decode()
    bodies = [
        {"dataframe_records": [{"audio": encoded}]},
        {"dataframe_split": {"columns": ["audio"], "data": [[encoded]]}},
        {"inputs": {"audio": [encoded]}},
        {"inputs": [{"audio": encoded}]},
    ]
    for body in bodies:
        answer = requests.post(f"{address}/invocations", json=body)
        assert answer.json() == {"predictions": [sound.json()]}, body


@pytest.mark.parametrize(
    ("path", "body", "kind", "status", "reason"),
    [
        ("predict", b"", "audio/wav", 400, "no body"),
        ("predict", b"nonsense", "audio/wav", 400, "not decodable as sound"),
        ("predict", b"{", "application/json", 400, "not JSON"),
        ("predict", b"[" * 100_000, "application/json", 400, "not JSON"),
        ("predict", b"[]", "application/json", 400, "must be a JSON object"),
        ("predict", b"{}", "application/json", 400, "got nothing"),
        ("predict", b"hello", "text/plain", 400, "takes audio"),
        ("predict", b"\xff", "text/plain", 400, "not UTF-8"),
        ("predict", b"x", "image/png", 400, "takes audio"),
        ("predict", b"x", "application/pdf", 415, "application/pdf"),
        ("predict", b"x", None, 415, "missing"),
        ("invocations", b"[]", "application/json", 400, "must be a JSON object"),
        ("invocations", b'{"inputs": 3}', "application/json", 400, "named columns"),
        ("invocations", b'{"inputs": []}', "application/json", 400, "0 rows"),
        ("invocations", b'{"inputs": {"a": 1}}', "application/json", 400, "equally long"),
        ("invocations", b'{"dataframe_split": {}}', "application/json", 400, "needs columns"),
        ("invocations", b'{"inputs": [{"text": "x"}]}', "application/json", 400, "takes audio"),
        ("nowhere", b"x", "text/plain", 404, "POST /predict"),
    ],
)
def test_nonsense_gets_a_reason_and_never_a_traceback(address, path, body, kind, status, reason):
    headers = {"content-type": kind} if kind else {}
    answer = requests.post(f"{address}/{path}", body, headers=headers)
    assert answer.status_code == status
    assert reason in answer.json()["error"]
    assert "Traceback" not in answer.text


def test_a_body_that_is_too_long_is_refused_before_it_is_read(address):
    def endless():
        for _ in range(LARGEST_BODY // 2**20 + 2):
            yield b"\0" * 2**20

    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
    connection.putrequest("POST", "/predict")
    connection.putheader("content-type", "audio/wav")
    connection.putheader("content-length", str(2**40))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
    try:
        status = requests.post(
            f"{address}/predict", endless(), headers={"content-type": "audio/wav"}
        ).status_code
    except requests.ConnectionError:  # the server may hang up while we still send
        status = 413
    assert status == 413


def test_rows_of_which_one_is_bad_name_it(address):
    import base64

    rows = [{"audio": base64.b64encode(wav()).decode()}, {"audio": "!"}]
    answer = requests.post(f"{address}/invocations", data=json.dumps({"inputs": rows}))
    assert answer.json()["error"].startswith("item 1: ")
