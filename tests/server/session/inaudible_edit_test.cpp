#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "rt/dsp/math.hpp"
#include "tests/server/session/offline_rig.hpp"
#include "tests/server/session/plan_checks.hpp"

// A sine goes through a row of tracks and buses while they are edited at random: what comes out is the sine, under the
// one fade that an edit may be.
using namespace continuo;
using namespace continuo::session;

namespace {

constexpr double kTurn = 2.0 * M_PI * 440.0 / 48000.0;
const double kBound = std::pow(10.0, -90.0 / 20.0);

float sine(std::uint32_t channel, rt::FrameCount frame) {
  return static_cast<float>(0.2 * std::sin(kTurn * static_cast<double>(frame) + channel));
}

/// in -> a -> x -> y -> out, or past x or y: what the document has, and how loud it is.
class Row {
 public:
  explicit Row(std::uint32_t seed, bool levels) : levels_(levels), random_(seed) {
    document_ = test::document(
        "{'nodes': [{'id': 'a', 'type': 'track', 'params': {'channels': 2}}, {'id': 'x', 'type': 'bus', 'params': "
        "{'channels': 2}}, {'id': 'y', 'type': 'bus', 'params': {'channels': 2}}, {'id': 'rack', 'type': "
        "'container'}], 'connections': [{'from': 'in', 'to': 'a'}, {'from': 'a', 'to': 'x'}, {'from': 'x', 'to': "
        "'y'}, {'from': 'y', 'to': 'out'}]}");
    if (levels_) return;
    const char* const kFixed[] = {
        "'type': 'gain', 'params': {'gain_db': 9}", "'type': 'gain', 'params': {'gain_db': -7}",
        "'type': 'eq', 'params': {'band1.type': 'low_shelf', 'band1.freq_hz': 300, 'band1.gain_db': 5}",
        "'type': 'compressor', 'params': {'threshold_db': 0, 'ratio': 1, 'lookahead_ms': 1}"};
    for (const char* what : kFixed) apply(add(what));
  }

  const Document& document() const { return document_; }
  double level() const {
    double db = 0.0;
    for (const Part& part : parts_) db += in_use(part.unit) ? part.gain_db : 0.0;
    for (std::size_t i = 1; i < way_.size(); ++i) db += gains_.at(i);
    return std::pow(10.0, (db + gains_[0]) / 20.0);
  }

  /// One to three changes that make one transaction.
  void edit() {
    std::string list;
    for (std::uint32_t n = 1 + pick(3); n != 0; --n) list += change();
    apply(list);
  }
  /// Edits of which nothing can be heard.
  void silent_edit() {
    const std::uint32_t which = pick(3);
    if (which == 0)
      apply("{'set_label': {'path': '" + path("x") + "', 'label': 'bus " + std::to_string(next_++) + "'}},");
    if (which == 1) {
      apply("{'move_node': {'path': '" + path("x") + "', 'parent': '" + (racked_ ? "" : "rack") + "'}},");
      racked_ = !racked_;
    }
    if (which == 2) apply("{'add_node': {'node': {'id': 't" + std::to_string(next_++) + "', 'type': 'track'}}},");
  }

 private:
  struct Part {
    std::string id;
    std::string unit;
    double gain_db = 0.0;
    bool extra = false;  // may go again
  };

  std::uint32_t pick(std::uint32_t of) { return static_cast<std::uint32_t>(random_() % of); }
  std::string path(const std::string& unit) const { return unit == "x" && racked_ ? "rack/x" : unit; }
  bool in_use(const std::string& unit) const { return std::find(way_.begin(), way_.end(), unit) != way_.end(); }

  std::string change() {
    switch (pick(levels_ ? 5u : 4u)) {
      case 0:
        return add("'type': 'gain'", levels_ ? static_cast<double>(pick(13)) - 8.0 : 0.0, true);
      case 1:
        return remove();
      case 2:
        return parts_.empty() ? "" : move(parts_[pick(static_cast<std::uint32_t>(parts_.size()))]);
      case 3:
        return route();
      default:
        return regain();
    }
  }
  std::string add(std::string what, double gain_db = 0.0, bool extra = false) {
    const std::string unit = levels_ ? std::vector<std::string>{"a", "x", "y"}[pick(3)] : "a";
    const std::string id = "p" + std::to_string(next_++);
    if (extra && parts_.size() > 9) return "";
    if (gain_db != 0.0) what += ", 'params': {'gain_db': " + std::to_string(gain_db) + "}";
    parts_.push_back({id, unit, gain_db, extra});
    return "{'add_node': {'parent': '" + path(unit) + "', 'node': {'id': '" + id + "', " + what + "}}},";
  }
  std::string remove() {
    const auto found = std::find_if(parts_.begin(), parts_.end(), [](const Part& part) { return part.extra; });
    if (found == parts_.end()) return "";
    const std::string gone = path(found->unit) + "/" + found->id;
    parts_.erase(found);
    return "{'remove_node': {'path': '" + gone + "'}},";
  }
  std::string move(Part& part) {
    const std::string from = path(part.unit) + "/" + part.id;
    part.unit = way_[pick(static_cast<std::uint32_t>(way_.size()))];
    std::vector<const Part*> others;
    for (const Part& other : parts_)
      if (other.unit == part.unit && other.id != part.id) others.push_back(&other);
    std::string text = "{'move_node': {'path': '" + from + "', 'parent': '" + path(part.unit) + "'";
    if (!others.empty() && pick(2) == 0)
      text += ", 'before': '" + others[pick(static_cast<std::uint32_t>(others.size()))]->id + "'";
    return text + "}},";
  }
  // Another way: with or without x and y, in either order; what cannot be done without stays on it.
  std::string route() {
    std::vector<std::string> way{"a"};
    const bool turned = pick(2) == 0;
    for (const char* unit : {turned ? "y" : "x", turned ? "x" : "y"}) {
      const bool needed =
          !levels_ && std::any_of(parts_.begin(), parts_.end(), [&](const Part& part) { return part.unit == unit; });
      if (needed || pick(2) == 0) way.push_back(unit);
    }
    std::vector<double> gains(way.size(), 0.0);
    for (double& gain : gains) gain = levels_ ? -static_cast<double>(pick(4)) : 0.0;
    std::string text = connections("disconnect");
    way_ = way;
    gains_ = gains;
    return text + connections("connect");
  }
  std::string regain() {
    std::string text = connections("disconnect");
    for (double& gain : gains_) gain = -static_cast<double>(pick(4));
    return text + connections("connect");
  }
  std::string connections(const std::string& what) const {
    std::string text;
    for (std::size_t i = 0; i < way_.size(); ++i) {
      const std::string to = i + 1 < way_.size() ? path(way_[i + 1]) : "out";
      text += "{'" + what + "': {'from': '" + path(way_[i]) + "', 'to': '" + to + "'";
      if (what == "connect" && gains_[i] != 0.0) text += ", 'gain_db': " + std::to_string(gains_[i]);
      text += "}},";
    }
    return text;
  }
  void apply(const std::string& list) {
    if (list.empty()) return;
    const auto result = test::edit(document_, "[" + list.substr(0, list.size() - 1) + "]", [this] { return uid_++; });
    if (!result) FAIL(result.error().message, " ", list);
  }

  const bool levels_;
  std::mt19937 random_;
  Document document_;
  std::vector<Part> parts_;
  std::vector<std::string> way_{"a", "x", "y"};
  std::vector<double> gains_{0.0, 0.0, 0.0};  // behind each of them
  bool racked_ = false;
  std::uint32_t next_ = 0;
  rt::Uid uid_ = 1000;
};

struct Stage {
  test::Rig rig{2, 2};
  std::vector<float> heard[2];

  Stage() { rig.input = sine; }
  void take(const Document& document) {
    rig.take(document);
    CHECK(test::fault_of(*rig.plan) == "");
  }
  void play(std::uint32_t frames) {
    const test::Sound out = rig.render(frames, 256);
    for (std::size_t c = 0; c < 2; ++c) heard[c].insert(heard[c].end(), out[c].begin(), out[c].end());
  }
  [[nodiscard]] std::size_t frames() const { return heard[0].size(); }
};

}  // namespace

TEST_CASE("a thousand random edits that keep the level: the sine goes on, what differs is below -90 dBFS") {
  Row row(1, false);
  Stage stage;
  stage.take(row.document());
  stage.play(48000);
  // The sine as it came out before the first edit.
  double s[2]{}, c[2]{};
  for (std::size_t i = 36000; i < 48000; ++i) {  // 110 whole turns
    for (std::size_t k = 0; k < 2; ++k) {
      s[k] += static_cast<double>(stage.heard[k][i]) * std::sin(kTurn * static_cast<double>(i)) / 6000.0;
      c[k] += static_cast<double>(stage.heard[k][i]) * std::cos(kTurn * static_cast<double>(i)) / 6000.0;
    }
  }
  CHECK(std::hypot(s[0], c[0]) > 0.1);
  double worst = 0.0;
  int worst_edit = -1;
  for (int edit = 0; edit < 1000; ++edit) {
    const std::size_t from = stage.frames();
    row.edit();
    stage.take(row.document());
    stage.play(stage.rig.last.fade_frames);
    stage.take(row.document());  // without what has faded
    stage.play(100 + static_cast<std::uint32_t>(edit) % 200);
    for (std::size_t i = from; i < stage.frames(); ++i) {
      const double angle = kTurn * static_cast<double>(i);
      for (std::size_t k = 0; k < 2; ++k) {
        const double off =
            std::abs(static_cast<double>(stage.heard[k][i]) - s[k] * std::sin(angle) - c[k] * std::cos(angle));
        if (off > worst) worst_edit = edit;
        worst = std::max(worst, off);
      }
    }
  }
  INFO("edit ", worst_edit, ", ", 20.0 * std::log10(worst), " dBFS");
  CHECK(worst < kBound);
}

TEST_CASE("a thousand random edits that change the level: one straight fade each, what differs is below -90 dBFS") {
  Row row(2, true);
  Stage stage;
  stage.take(row.document());
  stage.play(1000);
  double worst = 0.0;
  int worst_edit = -1;
  for (int edit = 0; edit < 1000; ++edit) {
    const std::size_t from = stage.frames();
    const double before = row.level();
    row.edit();
    const double after = row.level();
    stage.take(row.document());
    const std::uint32_t wait = stage.rig.last.fade_frames - kEditFadeFrames;
    stage.play(stage.rig.last.fade_frames);
    stage.take(row.document());
    stage.play(50);
    for (std::size_t i = from; i < stage.frames(); ++i) {
      const double faded = (static_cast<double>(i - from) - wait) / kEditFadeFrames;
      const double level = before + (after - before) * std::clamp(faded, 0.0, 1.0);
      for (std::uint32_t k = 0; k < 2; ++k) {
        const double wanted = level * static_cast<double>(sine(k, static_cast<rt::FrameCount>(i)));
        const double off = std::abs(static_cast<double>(stage.heard[k][i]) - wanted);
        if (off > worst) worst_edit = edit;
        worst = std::max(worst, off);
      }
    }
  }
  INFO("edit ", worst_edit, ", ", 20.0 * std::log10(worst), " dBFS");
  CHECK(worst < kBound);
}

TEST_CASE("edits that change no sound leave every bit as it was") {
  Row row(3, false), still(3, false);
  Stage stage, other;
  stage.take(row.document());
  other.take(still.document());
  for (int edit = 0; edit < 200; ++edit) {
    stage.play(301);
    other.play(301);
    row.silent_edit();
    stage.take(row.document());
    CHECK(stage.rig.last.actions.empty());
    CHECK_FALSE(stage.rig.last.fading);
  }
  CHECK(stage.heard[0] == other.heard[0]);
  CHECK(stage.heard[1] == other.heard[1]);
}

// A delay would bring a sudden beginning back when the fade behind it is long over.
TEST_CASE("what remembers its input gets it with a rise: no edge comes back from a delay, a reverb that was put in") {
  for (const char* what : {"'type': 'delay', 'params': {'time_ms': 200, 'feedback': 0.5, 'wet_db': 0}",
                           "'type': 'reverb', 'params': {'wet_db': 0}"}) {
    Stage stage;
    Document document = test::document(
        "{'nodes': [{'id': 'a', 'type': 'track', 'params': {'channels': 2}}], 'connections': [{'from': 'in', 'to': "
        "'a'}, {'from': 'a', 'to': 'out'}]}");
    stage.rig.input = [](std::uint32_t, rt::FrameCount) { return 0.5f; };  // whatever steps was made by the edit
    stage.take(document);
    stage.play(1000);
    const auto added =
        test::edit(document, std::string("[{'add_node': {'parent': 'a', 'node': {'id': 'd', ") + what + "}}}]",
                   [uid = rt::Uid{50}]() mutable { return uid++; });
    if (!added) FAIL(added.error().message);
    stage.take(document);
    stage.play(48000);
    float step = 0.0f, heard = 0.0f;
    for (std::size_t i = 1; i < stage.frames(); ++i) {
      step = std::max(step, std::abs(stage.heard[0][i] - stage.heard[0][i - 1]));
      heard = std::max(heard, std::abs(stage.heard[0][i] - 0.5f));
    }
    CAPTURE(std::string(what));
    CHECK(heard > 0.02f);
    CHECK(step < 2.0f / static_cast<float>(kEditFadeFrames));
  }
}
