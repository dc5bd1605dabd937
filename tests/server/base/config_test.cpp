#include "server/base/config.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <initializer_list>

#include "server/base/exit_code.hpp"
#include "server/base/settings.hpp"
#include "tests/server/base/temp_folder.hpp"

namespace continuo {
namespace {

using Variables = std::map<std::string, std::string>;

Environment fixed(Variables variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

ConfigSources sources_of(Variables variables, std::optional<std::filesystem::path> file = std::nullopt) {
  ConfigSources sources;
  variables.try_emplace("HOME", "/users/ada");
  variables.try_emplace("XDG_CONFIG_HOME", "/nonexistent");
  sources.environment = fixed(std::move(variables));
  sources.file = std::move(file);
  sources.uid = 1000;
  return sources;
}

Error error_of(const std::string& text) {
  const TempFolder folder;
  const auto loaded = load_config(sources_of({}, folder.write("c.toml", text)));
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().kind == ErrorKind::configuration);
  CHECK(exit_code(loaded.error().kind) == 78);
  return loaded.error();
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_CASE("a flag goes before the environment, that before the file, that before the default") {
  const TempFolder folder;
  const auto file = folder.write("c.toml", "[device]\nsample_rate_hz = 44100\nbuffer_frames = 128\npriority = 60\n");
  ConfigSources sources = sources_of({{"CONTINUO_RATE", "88200"}, {"CONTINUO_BUFFER", "256"}}, file);
  sources.flags["rate"] = {"96000"};
  const auto loaded = load_config(sources);
  REQUIRE(loaded);
  CHECK(loaded->config.sample_rate_hz == 96000);
  CHECK(loaded->config.buffer_frames == 256);
  CHECK(loaded->config.priority == 60);
  CHECK(loaded->config.log_level == "info");
  CHECK(loaded->origins.at("device.sample_rate_hz") == "--rate");
  CHECK(loaded->origins.at("device.buffer_frames") == "CONTINUO_BUFFER");
  CHECK(loaded->origins.at("device.priority") == file.string() + ":4");
  CHECK(loaded->origins.count("log.level") == 0);
}

TEST_CASE("the ceiling is a number that need not be whole, from each of its places, and is printed as it was read") {
  const TempFolder folder;
  const auto file = folder.write("c.toml", "[output]\nceiling_db = -1.5\n");
  ConfigSources sources = sources_of({}, file);
  CHECK(load_config(sources)->config.ceiling_db == -1.5);
  CHECK(contains(print_config(*load_config(sources)), "\n[output]\nceiling_db = -1.5  # "));
  CHECK(load_config(sources_of({}, folder.write("d.toml", "[output]\nceiling_db = -6\n")))->config.ceiling_db == -6.0);
  CHECK(load_config(sources_of({}))->config.ceiling_db == 0.0);
  sources.environment = fixed({{"HOME", "/users/ada"}, {"CONTINUO_CEILING_DB", "-60"}});
  CHECK(load_config(sources)->config.ceiling_db == -60.0);
  sources.flags["ceiling-db"] = {"-0.25"};
  CHECK(load_config(sources)->config.ceiling_db == -0.25);
  for (const char* text : {"", "loud", "-1 dB", "1", "nan", "inf", "-60.01", "1e999"}) {
    sources.flags["ceiling-db"] = {text};
    const auto loaded = load_config(sources);
    CAPTURE(text);
    REQUIRE_FALSE(loaded);
    CHECK(contains(loaded.error().message, "--ceiling-db"));
  }
}

TEST_CASE("an unknown key is an error with its line and the key that may have been meant") {
  const Error error = error_of("[device]\nname = \"x\"\n\nsampel_rate_hz = 48000\n");
  CHECK(error.reason == "UNKNOWN_KEY");
  CHECK(error.field == "device.sampel_rate_hz");
  CHECK(contains(error.message, "c.toml:4:"));
  CHECK(contains(error.message, "did you mean device.sample_rate_hz"));
}

TEST_CASE("an unknown section, a section for a value and a value for a section are errors with their line") {
  CHECK(contains(error_of("\n[devices]\nname = \"x\"\n").message, "c.toml:2: unknown key devices"));
  CHECK(contains(error_of("[device.name]\nx = 1\n").message, "c.toml:1: device.name"));
  CHECK(contains(error_of("\n\ndevice = 3\n").message, "c.toml:3: unknown key device"));
}

TEST_CASE("the first wrong line of the file is reported, whatever the order of its keys") {
  CHECK(contains(error_of("[log]\nzzz = 1\n[device]\naaa = 1\n").message, "c.toml:2:"));
  CHECK(contains(error_of("[log]\nlevel = \"loud\"\n[device]\naaa = 1\n").message, "c.toml:2: log.level"));
}

TEST_CASE("a bad value names line, key and what is allowed") {
  struct Case {
    std::string_view text;
    std::string_view part;
  };
  const std::initializer_list<Case> cases = {
      {"[device]\nsample_rate_hz = 7999", "c.toml:2: device.sample_rate_hz: 7999 is out of range: 0 or 8000 to 384000"},
      {"[device]\nsample_rate_hz = 384001", "out of range"},
      {"[device]\nsample_rate_hz = -48000", "out of range"},
      {"[device]\nsample_rate_hz = 48000.0", "c.toml:2: device.sample_rate_hz: must be a whole number"},
      {"[device]\nsample_rate_hz = nan", "c.toml:2:"},
      {"[device]\nsample_rate_hz = \"48000\"", "must be a whole number, 0 or 8000 to 384000"},
      {"[device]\nsample_rate_hz = 99999999999999999999", "c.toml:2:"},
      {"[device]\nbuffer_frames = 15", "0 or 16 to 16384"},
      {"[device]\nin_channels = 1025", "0 to 1024"},
      {"[device]\nin_channels = 4294967296", "0 to 1024"},
      {"[device]\npriority = 0", "1 to 95"},
      {"[audio]\nrender_workers = 63", "c.toml:2: audio.render_workers: 63 is out of range: 0 to 62"},
      {"[audio]\nrender_workers = -1", "-1 is out of range"},
      {"[output]\nceiling_db = 0.1", "c.toml:2: output.ceiling_db: 0.1 is out of range: -60 to 0"},
      {"[output]\nceiling_db = -61", "-61 is out of range: -60 to 0"},
      {"[output]\nceiling_db = nan", "is out of range"},
      {"[output]\nceiling_db = -inf", "-inf is out of range"},
      {"[output]\nceiling_db = \"-1\"", "must be a number, -60 to 0"},
      {"[output]\nceiling_db = true", "is neither"},
      {"[device]\nname = 3", "must be a text in quotes"},
      {"[device]\nname = true", "is neither"},
      {"[device]\ninput_labels = [1, 2]", "must be a list of texts"},
      {"[device]\ninput_labels = [\"a\\nb\"]", "control character"},
      {"[log]\nlevel = \"loud\"", "'loud' is none of: debug, info, warning, error"},
      {"[log]\nfile = \"continuo.log\"", "'continuo.log' is not an absolute path"},
      {"[server]\nrole = \"king\"", "viewer, operator, engineer, admin"},
      {"[server]\nlisten = \"0.0.0.0:4747\"", "off the loopback clients need certificates"},
      {"[tls]\nkey = \"/k\"", "go together"},
      {"[tls]\nkey = \"k\"", "not an absolute path"},
      {"[access]\nusers = \"anna\"", "must be a table"},
      {"[access.users]\nanna = \"queen\"", "anna: 'queen' is none of: none, viewer, operator, engineer, admin"},
      {"[access]\nuser = { anna = \"viewer\" }", "access.users?"},
      {"[access]\nloopback = \"all\"", "is none of"},
      {"[server]\noperations_per_second = 0", "is out of range"},
      {"[server]\nlisten = [\"unix:relative\"]", "unix:/absolute/path"},
      {"[media]\nroots = \"x\"", "must be a table"},
      {"[media.roots]\nmusic = \"music\"", "not an absolute path"},
      {"[media.roots]\nMusic = \"/music\"", "is no name of a root"},
      {"[media.roots]\ntakes = \"/takes\"", "set media.take_folder"},
      {"[media]\ntake_template = \"{user}\"", "has no {user}: it knows {node} {name} {session} {take} {n} {date}"},
      {"[media]\ntake_template = \"a-{take\"", "has no {take"},
      {"[media]\ntake_template = \"../x\"", "stays in the take folder"},
      {"[at_start]\nplayback = \"maybe\"", "is none of"},
      {"[at_device_loss]\nrecording = \"Stop\"", "'Stop' is none of: stop, resume"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.text);
    const Error error = error_of(std::string(one.text) + "\n");
    CAPTURE(error.message);
    CHECK(contains(error.message, one.part));
    CHECK(contains(error.message, "c.toml:2"));
  }
}

TEST_CASE("a text that is not TOML, a duplicate key and random bytes are errors with their line") {
  CHECK(contains(error_of("[device]\nname = \n").message, "c.toml:2"));
  CHECK(contains(error_of("[device]\nname = \"a\"\nname = \"b\"\n").message, "c.toml:3"));
  CHECK(contains(error_of(std::string("\x00\xFF\x01", 3)).message, "c.toml:1"));
}

TEST_CASE("a file that is named must be there, and must be a file") {
  const TempFolder folder;
  for (const auto& file : {folder.path() / "none.toml", folder.path()}) {
    const auto loaded = load_config(sources_of({}, file));
    REQUIRE_FALSE(loaded);
    CHECK(contains(loaded.error().message, file.string()));
  }
  // A FIFO would hold the daemon up for ever.
  const auto fifo = folder.path() / "fifo";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  CHECK_FALSE(load_config(sources_of({}, fifo)));
  CHECK_FALSE(load_config(sources_of({{"CONTINUO_CONFIG", (folder.path() / "none.toml").string()}})));
}

TEST_CASE("flags and variables are checked like the file, and name themselves") {
  ConfigSources sources = sources_of({});
  sources.flags["rate"] = {"48k"};
  auto loaded = load_config(sources);
  REQUIRE_FALSE(loaded);
  CHECK(contains(loaded.error().message, "--rate: device.sample_rate_hz: '48k' is not a whole number"));

  loaded = load_config(sources_of({{"CONTINUO_LISTEN", "example.org:80"}}));
  REQUIRE_FALSE(loaded);
  CHECK(contains(loaded.error().message, "CONTINUO_LISTEN: server.listen"));

  sources = sources_of({});
  sources.flags["media-root"] = {"music"};
  loaded = load_config(sources);
  REQUIRE_FALSE(loaded);
  CHECK(contains(loaded.error().message, "'music' is not NAME=FOLDER"));
}

TEST_CASE("media roots of all layers add up, and an empty folder takes one away") {
  const TempFolder folder;
  const auto file = folder.write("c.toml", "[media.roots]\nmusic = \"/srv/music/\"\nfx = \"/srv/fx\"\nhome = \"\"\n");
  ConfigSources sources = sources_of({{"CONTINUO_MEDIA_ROOT", "a=/x/a:b=/x/b"}}, file);
  sources.flags["media-root"] = {"fx=/other/fx", "c=/x/c"};
  const auto loaded = load_config(sources);
  REQUIRE(loaded);
  const auto& roots = loaded->config.media_roots;
  CHECK(roots.at("music") == "/srv/music/");
  CHECK(roots.at("fx") == "/other/fx");
  CHECK(roots.at("a") == "/x/a");
  CHECK(roots.at("b") == "/x/b");
  CHECK(roots.at("c") == "/x/c");
  CHECK(roots.at("home").empty());
  CHECK(roots.at("media") == "/users/ada/.local/state/continuo/media");
}

TEST_CASE("what follows from the state folder follows the one that is configured") {
  ConfigSources sources = sources_of({});
  sources.flags["state-folder"] = {"/data/continuo"};
  const auto loaded = load_config(sources);
  REQUIRE(loaded);
  CHECK(loaded->config.take_folder == "/data/continuo/takes");
  CHECK(loaded->config.media_roots.at("media") == "/data/continuo/media");
  CHECK(loaded->config.media_roots.at("home") == "/users/ada");
}

TEST_CASE("lists come from the file as one text or many, from flags also with commas") {
  const TempFolder folder;
  const auto file =
      folder.write("c.toml", "[device]\ninput_labels = [\"Mic, left\", \"\"]\n[server]\nlisten = \"127.0.0.1:0\"\n");
  ConfigSources sources = sources_of({}, file);
  sources.flags["output-labels"] = {"L,R", "Sub"};
  const auto loaded = load_config(sources);
  REQUIRE(loaded);
  CHECK(loaded->config.input_labels == std::vector<std::string>{"Mic, left", ""});
  CHECK(loaded->config.output_labels == std::vector<std::string>{"L", "R", "Sub"});
  CHECK(loaded->config.listen == std::vector<std::string>{"127.0.0.1:0"});
}

TEST_CASE("what is printed is a file that says the same") {
  const TempFolder folder;
  ConfigSources sources = sources_of({});
  sources.flags = {{"device", {"Fireface \"UFX\" \\ \xC3\xBC"}},
                   {"rate", {"44100"}},
                   {"in-channels", {"8"}},
                   {"input-labels", {"a", "b c"}},
                   {"media-root", {"m=/x", "home="}},
                   {"listen", {"[::1]:4747"}},
                   {"log-file", {"/var/log/continuo.log"}}};
  const auto first = load_config(sources);
  REQUIRE(first);
  const std::string printed = print_config(*first);
  CHECK(contains(printed, "# --rate"));
  const auto second = load_config(sources_of({{"HOME", "/users/grace"}}, folder.write("p.toml", printed)));
  REQUIRE(second);
  CHECK(second->config == first->config);

  const auto defaults = load_config(sources_of({}));
  REQUIRE(defaults);
  const auto again = load_config(sources_of({}, folder.write("d.toml", print_config(*defaults))));
  REQUIRE(again);
  CHECK(again->config == defaults->config);
}

TEST_CASE("every setting has a key with a section, a flag, a variable, and no two share one") {
  std::map<std::string, int> names;
  for (const Setting& setting : settings()) {
    CAPTURE(setting.key);
    CHECK(setting.key.find('.') != std::string_view::npos);
    CHECK_FALSE(setting.help.empty());
    CHECK(++names[std::string(setting.key)] == 1);
    CHECK(++names[flag_of(setting)] == 1);
    CHECK(++names[variable_of(setting)] == 1);
  }
  CHECK(variable_of(*find_setting("media.take_folder")) == "CONTINUO_TAKE_FOLDER");
}

}  // namespace
}  // namespace continuo
