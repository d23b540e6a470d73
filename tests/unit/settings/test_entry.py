from bascule.settings.entry import Layer, given
from bascule.settings.inventory import inventory


def test_each_layer_spells_a_setting_its_own_way():
    setting = inventory()["database.pool_size"]
    assert Layer.FILE.spelling(setting) == "database.pool_size"
    assert Layer.ENVIRONMENT.spelling(setting) == "BASCULE_DATABASE__POOL_SIZE"
    assert Layer.FLAG.spelling(setting) == "--database-pool-size"


def test_flag_values_become_the_texts_a_file_would_hold():
    assert given(Layer.FLAG, "server.allow_remote", "--allow-remote", True).texts == ("true",)
    assert given(Layer.FLAG, "server.port", "--port", 9000).texts == ("9000",)
    hosts = given(Layer.FLAG, "server.allowed_hosts", "--allowed-hosts", ["a", "b"])
    assert hosts.is_list
    assert hosts.texts == ("a", "b")
    assert hosts.text_places == ("flag --allowed-hosts",) * 2


def test_a_long_value_is_shown_shortened():
    entry = given(Layer.ENVIRONMENT, "app.name", "BASCULE_APP__NAME", "x" * 500)
    assert len(entry.shown()) < 70
    assert entry.section == "app"
