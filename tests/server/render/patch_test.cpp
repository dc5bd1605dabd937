// Sessions as templates: values, media and inputs from the command line.
#include "server/render/patch.hpp"

#include <doctest/doctest.h>

#include "server/session/edit.hpp"
#include "server/session/node_registry.hpp"
#include "tests/server/render/render_test.hpp"

using namespace continuo;
using namespace continuo::render;
using namespace continuo::render::test;

namespace {

session::Document template_document(const Studio& studio) {
  return studio.document(session_text(track("a", player("p", "a.wav") + "," + player("q", "music:x=y.wav") +
                                                     R"(,{"id": "osc", "type": "oscillator"})") +
                                          "," + track("b", player("f", "a.wav", R"("mode": "free")")),
                                      edge("a", "out") + "," + edge("b", "out")));
}

}  // namespace

TEST_CASE("patch: a parameter as JSON or bare text, the default is no entry") {
  Studio studio;
  session::Document document = template_document(studio);
  const auto value = [&](const std::string& text, const char* path, const char* param) {
    const auto done = set_param(document, text);
    REQUIRE_MESSAGE(done, (done ? "" : done.error().message));
    const session::DocNode* node = session::find_node(document, path);
    return session::value_of(*node, *session::find_type(node->type)->find(param));
  };
  using V = session::Value;
  CHECK(value("a.gain_db=-6", "a", "gain_db") == V(-6.0));
  CHECK(value("a.gain_db=1.5e0", "a", "gain_db") == V(1.5));
  CHECK(value("a.mute=true", "a", "mute") == V(true));
  CHECK(value("a/osc.waveform=square", "a/osc", "waveform") == V(std::string("square")));
  CHECK(value("a/osc.waveform=\"saw\"", "a/osc", "waveform") == V(std::string("saw")));
  CHECK(value("a/p.file=12", "a/p", "file") == V(std::string("12")));
  CHECK(value("a/p.file=\"b=c \\u00e9.wav\"", "a/p", "file") == V(std::string("b=c \xC3\xA9.wav")));
  CHECK(value("a/p.file=\"half", "a/p", "file") == V(std::string("\"half")));
  CHECK(value("a/p.file=", "a/p", "file") == V(std::string()));
  CHECK(value("a.gain_db=0", "a", "gain_db") == V(0.0));
  CHECK(session::find_node(document, "a")->params.count("gain_db") == 0);
}

TEST_CASE("patch: what a parameter does not take is refused, named, and changes nothing") {
  Studio studio;
  session::Document document = template_document(studio);
  const session::Document before = document;
  struct Case {
    const char* text;
    ErrorKind kind;
    const char* reason;
    const char* field;
  };
  for (const Case& c : {Case{"a.gain_db=-600", ErrorKind::invalid_argument, "OUT_OF_RANGE", "a.gain_db"},
                        Case{"a.gain_db=loud", ErrorKind::invalid_argument, "WRONG_KIND", "a.gain_db"},
                        Case{"a.gain_db=nan", ErrorKind::invalid_argument, "WRONG_KIND", "a.gain_db"},
                        Case{"a.gain_db=1e999", ErrorKind::invalid_argument, "WRONG_KIND", "a.gain_db"},
                        Case{"a.gain_db=", ErrorKind::invalid_argument, "WRONG_KIND", "a.gain_db"},
                        Case{"a.mute=1", ErrorKind::invalid_argument, "WRONG_KIND", "a.mute"},
                        Case{"a/osc.waveform=round", ErrorKind::invalid_argument, "BAD_CHOICE", "a/osc.waveform"},
                        Case{"a/osc.channels=1.5", ErrorKind::invalid_argument, "WRONG_KIND", "a/osc.channels"},
                        Case{"a.loudness=1", ErrorKind::invalid_argument, "UNKNOWN_PARAM", "a.loudness"},
                        Case{"c.gain_db=1", ErrorKind::not_found, "UNKNOWN_NODE", "c"},
                        Case{"a.gain_db", ErrorKind::invalid_argument, "BAD_ASSIGNMENT", "a.gain_db"},
                        Case{"=1", ErrorKind::invalid_argument, "BAD_ASSIGNMENT", "=1"},
                        Case{"a=1", ErrorKind::invalid_argument, "BAD_ASSIGNMENT", "a=1"},
                        Case{".x=1", ErrorKind::invalid_argument, "BAD_ASSIGNMENT", ".x=1"},
                        Case{"", ErrorKind::invalid_argument, "BAD_ASSIGNMENT", ""}}) {
    CAPTURE(std::string(c.text));
    const auto done = set_param(document, c.text);
    REQUIRE_FALSE(done);
    CHECK(done.error().kind == c.kind);
    CHECK(done.error().reason == c.reason);
    CHECK(done.error().field == c.field);
    CHECK(document == before);
  }
}

TEST_CASE("patch: media by their name, inputs by their node") {
  Studio studio;
  session::Document document = template_document(studio);
  GivenFiles files;
  CHECK(give_media(document, "a.wav=/x/b.wav", files));
  CHECK(files.media.at("a.wav") == "/x/b.wav");
  CHECK(give_media(document, "music:x=y.wav=z=1.wav", files));
  CHECK(files.media.at("music:x=y.wav") == "z=1.wav");
  CHECK(give_media(document, "a.wav=c.wav", files));
  CHECK(files.media.at("a.wav") == "c.wav");
  const auto unknown = give_media(document, "none.wav=c.wav", files);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == ErrorKind::not_found);
  CHECK(unknown.error().message.find("a.wav") != std::string::npos);
  CHECK_FALSE(give_media(document, "a.wav=", files));
  CHECK_FALSE(give_media(document, "a.wav", files));

  CHECK(give_input(document, "in=mic.wav", files));
  CHECK(files.device_input == "mic.wav");
  CHECK(give_input(document, "a/p=take.wav", files));
  const std::string name = session::text_of(*session::find_node(document, "a/p"), "file");
  CHECK(files.media.at(name) == "take.wav");
  CHECK(session::text_of(*session::find_node(document, "b/f"), "file") == "a.wav");
  CHECK(session::validate(document));
  CHECK(give_input(document, "a/x=take.wav", files).error().reason == "UNKNOWN_NODE");
  CHECK(give_input(document, "a/osc=take.wav", files).error().reason == "NOT_A_PLAYER");
  CHECK(give_input(document, "out=take.wav", files).error().reason == "NOT_A_PLAYER");
  CHECK(give_input(document, "b/f=take.wav", files).error().reason == "FREE_PLAYER");
  for (const char* text : {"a/p", "a/p=", "=x.wav", ""}) CHECK_FALSE(give_input(document, text, files));
}

TEST_CASE("patch: a parameter under its automation lane is refused, one whose lane is off takes the value") {
  Studio studio;
  session::Document document = studio.document(session_text(
      R"({"id": "a", "type": "track", "automation": {"gain_db": {"points": [{"frame": 0, "value": -6}]}, "pan": {"on": false, "points": [{"frame": 0, "value": 1}]}}})",
      ""));
  const auto refused = set_param(document, "a.gain_db=-3");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::failed_precondition);
  CHECK(refused.error().reason == "AUTOMATED");
  CHECK(refused.error().field == "a.gain_db");
  CHECK(set_param(document, "a.pan=0.5"));
}
