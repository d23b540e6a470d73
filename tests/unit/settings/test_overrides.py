from bascule.settings.overrides import environment_entries, flag_entries


def test_variables_with_two_underscores_are_settings():
    entries, problems = environment_entries({"BASCULE_SERVER__MAX_BODY_BYTES": "2048", "PATH": "x"})
    assert problems == []
    (entry,) = entries
    assert (entry.key, entry.texts) == ("server.max_body_bytes", ("2048",))
    assert entry.source == entry.place == "environment BASCULE_SERVER__MAX_BODY_BYTES"


def test_other_variables_with_the_prefix_are_left_alone():
    assert environment_entries({"BASCULE_KEY": "x", "BASCULE_DATA_DIR": "/x"}) == ([], [])


def test_a_single_underscore_is_pointed_out():
    entries, (problem,) = environment_entries({"BASCULE_SERVER_PORT": "9000"})
    assert entries == []
    assert problem.place == "environment BASCULE_SERVER_PORT"
    assert "BASCULE_SERVER__PORT" in problem.remedy


def test_what_kubernetes_says_about_services_is_no_setting():
    assert environment_entries({"BASCULE_SERVER_PORT": "tcp://10.0.0.1:80"}) == ([], [])


def test_flags_not_given_are_absent_and_false_is_given():
    entries = flag_entries({"server.port": None, "server.allow_remote": False, "audit.dir": "x"})
    assert [(one.key, one.texts, one.name) for one in entries] == [
        ("server.allow_remote", ("false",), "--allow-remote"),
        ("audit.dir", ("x",), "audit.dir"),
    ]
