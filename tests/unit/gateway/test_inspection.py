from bascule.gateway.inspection import Fault


def test_a_fault_reads_as_file_line_and_reason() -> None:
    assert str(Fault("authz.rego", 3, 7, "x is unsafe")) == "authz.rego:3: x is unsafe"
    assert str(Fault("data.json", 0, 0, "no object")) == "data.json: no object"
