#include <doctest/doctest.h>

#include "server/session/plan_compiler.hpp"
#include "tests/server/session/builders.hpp"

using namespace continuo::session;

namespace {

// The paths that are heard, of a mixer with the given switches: {"drums/kick": "solo"}.
std::string heard(const std::map<std::string, std::string>& switches) {
  Document document = test::document(
      "{'nodes': [{'id': 'drums', 'type': 'container', 'children': [{'id': 'kick', 'type': 'track'}, {'id': 'snare', "
      "'type': 'track'}]}, "
      "{'id': 'vox', 'type': 'track'}, {'id': 'fx', 'type': 'gain'}, {'id': 'verb', 'type': 'bus'}, {'id': 'sub', "
      "'type': 'bus'}, {'id': 'main', 'type': 'bus'}], "
      "'connections': [{'from': 'drums/kick', 'to': 'sub'}, {'from': 'drums/snare', 'to': 'sub'}, {'from': 'vox:pre', "
      "'to': 'fx'}, {'from': 'fx', 'to': 'verb'}, "
      "{'from': 'vox', 'to': 'main'}, {'from': 'verb', 'to': 'main'}, {'from': 'sub', 'to': 'main'}, {'from': 'main', "
      "'to': 'out'}]}");
  for (const auto& [path, what] : switches) {
    if (what.find("mute") != std::string::npos) edit_node(document, path)->params["mute"] = true;
    if (what.find("solo") != std::string::npos) edit_node(document, path)->params["solo"] = true;
  }
  const auto audible = audible_map(document);
  std::string paths;
  for_each_node(document.nodes, "", [&](const std::string& path, const DocNode& node) {
    const auto found = audible.find(node.uid);
    if (found != audible.end() && found->second == 1.0) paths += path + " ";
  });
  return paths;
}

}  // namespace

TEST_CASE("who is heard") {
  CHECK(heard({}) == "drums/kick drums/snare vox verb sub main ");
  CHECK(heard({{"vox", "mute"}}) == "drums/kick drums/snare verb sub main ");
  CHECK(heard({{"vox", "solo"}}) == "vox verb main ");  // and what it feeds, through a bare node too
  CHECK(heard({{"drums/kick", "solo"}}) == "drums/kick sub main ");
  CHECK(heard({{"sub", "solo"}}) == "drums/kick drums/snare sub main ");  // what feeds a soloed bus
  CHECK(heard({{"verb", "solo"}}) == "vox verb main ");
  CHECK(heard({{"drums/kick", "solo"}, {"vox", "solo"}}) == "drums/kick vox verb sub main ");
  CHECK(heard({{"main", "solo"}}) == "drums/kick drums/snare vox verb sub main ");
  CHECK(heard({{"vox", "solo mute"}}) == "verb main ");  // mute wins
  CHECK(heard({{"vox", "solo"}, {"main", "mute"}}) == "vox verb ");
}
