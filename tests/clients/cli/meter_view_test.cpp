#include "clients/cli/meter_view.hpp"

#include <doctest/doctest.h>

#include "clients/cli/output.hpp"

using namespace continuo;
using namespace continuo::cli;

namespace {

v1::MeterFrame frame(std::initializer_list<float> peaks, std::initializer_list<float> rms,
                     std::uint32_t covers = 4800) {
  v1::MeterFrame message;
  for (const float db : peaks) message.add_peak_db(db);
  for (const float db : rms) message.add_rms_db(db);
  message.set_covers_frames(covers);
  message.mutable_clock()->set_engine_rate_hz(48000);
  message.mutable_clock()->set_timeline_rate_hz(48000);
  return message;
}

void add_layout(v1::MeterFrame& message, const char* node, std::uint32_t channels, const char* label = "") {
  auto& info = *message.add_layout();
  info.set_node(node);
  info.set_label(label);
  info.set_channels(channels);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::string line;
  for (const char c : text) {
    if (c == '\n') {
      lines.push_back(line);
      line.clear();
    } else {
      line += c;
    }
  }
  return lines;
}

}  // namespace

TEST_CASE("frames between two drawings are folded: no peak is lost, power is averaged over its frames") {
  MeterView view;
  v1::MeterFrame first = frame({-20, -30}, {-23, -33}, 100);
  add_layout(first, "vox", 2);
  view.add(first);
  view.add(frame({-3, -40}, {-10, -43}, 100));
  view.add(frame({-50, -60}, {-53, -63}, 100));
  CHECK(view.complete());
  // 10 log10((10^-2.3 + 10^-1 + 10^-5.3) / 3) and the same for the second channel.
  CHECK(view.draw_lines() == "0:00.000\tvox\t-3.0 -30.0\t-14.6 -37.4\n");
  CHECK_FALSE(view.fresh());
  view.add(frame({-60, -60}, {-63, -63}));
  CHECK(view.draw_lines() == "0:00.000\tvox\t-60.0 -60.0\t-63.0 -63.0\n");
}

TEST_CASE("what was not measured says so") {
  MeterView view;
  v1::MeterFrame message = frame({-20, 0}, {-23, 0});
  add_layout(message, "a", 1);
  add_layout(message, "b", 1);
  message.add_not_measured(1);
  view.add(message);
  CHECK(view.fresh());
  CHECK_FALSE(view.complete());
  CHECK(view.draw_json().find("{\"node\":\"b\",\"peak_db\":[null],\"rms_db\":[null]}") != std::string::npos);
}

TEST_CASE("frames that do not fit the layout are left out") {
  MeterView view;
  view.add(frame({-20}, {-23}));
  CHECK_FALSE(view.fresh());
  v1::MeterFrame message = frame({-20}, {-23});
  add_layout(message, "a", 2);
  view.add(message);
  CHECK_FALSE(view.fresh());
  v1::MeterFrame none;
  none.add_layout();
  view.add(none);
  CHECK_FALSE(view.fresh());
}

TEST_CASE("a new layout replaces the old one") {
  MeterView view;
  v1::MeterFrame message = frame({-20}, {-23});
  add_layout(message, "a", 1);
  view.add(message);
  message.clear_layout();
  add_layout(message, "b", 1);
  view.add(message);
  const std::string text = view.draw_lines();
  CHECK(text.find("\tb\t") != std::string::npos);
  CHECK(text.find("\ta\t") == std::string::npos);
}

TEST_CASE("bars fit 80 columns, in every dress, whatever the names") {
  for (const bool utf8 : {false, true}) {
    MeterView view;
    v1::MeterFrame message = frame({-150, 3, -18.5F, -59}, {-150, -1, -24, -62});
    add_layout(message, "vox", 2, "K\u00e4seglocken im Fr\u00fchling \x1b[2J");
    add_layout(message, "out", 2);
    view.add(message);
    const auto lines = lines_of(view.draw_bars({80, 24, false, utf8}));
    REQUIRE(lines.size() == 6);
    for (const std::string& line : lines) {
      CAPTURE(line);
      CHECK(text_width(line) < 80);
      CHECK(line.find('\x1b') == std::string::npos);
    }
    CHECK(lines[3].ends_with("    3.0"));
    CHECK(lines[2].ends_with("      -"));
    CHECK(lines[4].ends_with("  -18.5"));
  }
}

TEST_CASE("a louder channel has a longer bar, and its peak stands for a while") {
  MeterView view;
  v1::MeterFrame message = frame({-12, -40}, {-15, -43});
  add_layout(message, "x", 2);
  message.set_engine_frame(48000);
  view.add(message);
  const auto count = [](const std::string& line, char mark) { return std::count(line.begin(), line.end(), mark); };
  auto lines = lines_of(view.draw_bars({80, 24, false, false}));
  CHECK(count(lines[2], '#') > 2 * count(lines[3], '#'));
  v1::MeterFrame quiet = frame({-60, -60}, {-60, -60});
  quiet.set_engine_frame(48000 + 24000);
  view.add(quiet);
  lines = lines_of(view.draw_bars({80, 24, false, false}));
  CHECK(count(lines[2], '|') == 1);
  CHECK(lines[2].ends_with("-12.0"));
  quiet.set_engine_frame(48000 + 96000);
  view.add(quiet);
  lines = lines_of(view.draw_bars({80, 24, false, false}));
  CHECK(lines[2].ends_with("-60.0"));
}

TEST_CASE("a small window gets one row a meter, then a remark, never more rows than it has") {
  MeterView view;
  v1::MeterFrame message;
  message.set_covers_frames(64);
  for (int i = 0; i < 100; ++i) {
    add_layout(message, ("t" + std::to_string(i)).c_str(), 2);
    for (int channel = 0; channel < 2; ++channel) {
      message.add_peak_db(-20);
      message.add_rms_db(-23);
    }
  }
  for (const int rows : {1, 2, 10, 24, 60, 103, 150, 203, 300}) {
    CAPTURE(rows);
    view.add(message);
    const auto lines = lines_of(view.draw_bars({80, rows, false, false}));
    CHECK(lines.size() <= static_cast<std::size_t>(std::max(rows - 1, 3)));
    CHECK((lines.back().find("more") != std::string::npos) == (rows < 103));
  }
}

TEST_CASE("other kinds: maxima stay and clips add up until they are drawn, of all else the newest counts") {
  MeterView view;
  const auto add = [&view](float true_peak, float clips, float vu, std::uint32_t covers = 100) {
    v1::MeterFrame message = frame({-20, -20}, {-23, -23}, covers);
    add_layout(message, "vox", 2);
    if (view.fresh()) message.clear_layout();
    const auto kind = [&message](v1::MeterKind which, std::initializer_list<float> all) {
      v1::MeterFrame::Values& values = *message.add_values();
      values.set_kind(which);
      for (const float value : all) values.add_values(value);
    };
    kind(v1::METER_KIND_TRUE_PEAK, {true_peak, -150});
    kind(v1::METER_KIND_CLIPS, {clips, 0});
    kind(v1::METER_KIND_VU, {vu, -20});
    kind(v1::METER_KIND_CORRELATION, {0.5F});
    view.add(message);
  };
  add(-9, 2, -20);
  add(-3, 1, -19);
  add(-6, 0, -22);
  CHECK(
      view.draw_lines() ==
      "0:00.000\tvox\t-20.0 -20.0\t-23.0 -23.0\ttrue-peak=-3.0 -150.0\tclips=3 0\tvu=-22.0 -20.0\tcorrelation=+0.50\n");
  add(-9, 0, -21);
  CHECK(view.draw_json().find("\"kinds\":{\"true_peak\":[-9.000,-150.000],\"clips\":[0,0],\"vu\":[-21.000,-20.000],"
                              "\"correlation\":[0.500]}") != std::string::npos);
}

TEST_CASE("a single picture of other kinds waits for all of them, and until ballistics are there") {
  MeterView view;
  const auto add = [&view](bool measured, std::uint32_t covers) {
    v1::MeterFrame message = frame({-20}, {-23}, covers);
    if (!view.fresh()) add_layout(message, "vox", 1);
    v1::MeterFrame::Values& values = *message.add_values();
    values.set_kind(v1::METER_KIND_MOMENTARY);
    values.add_values(-23);
    if (!measured) values.add_not_measured(0);
    view.add(message);
  };
  add(false, 48000);
  CHECK(view.fresh());
  CHECK_FALSE(view.complete());
  add(true, 100);
  CHECK(view.complete());
  MeterView quick;
  std::swap(view, quick);
  add(true, 4800);
  CHECK_FALSE(view.complete());
  add(true, 24000);
  CHECK(view.complete());
}

TEST_CASE("a single picture gives up what silence has none of, and nothing else") {
  for (const auto& [kind, given_up] : {std::pair(v1::METER_KIND_CORRELATION, true),
                                       {v1::METER_KIND_BALANCE, true},
                                       {v1::METER_KIND_SHORT_TERM, false}}) {
    MeterView view;
    for (const std::int64_t looked : {1000, 20000, 50000}) {
      v1::MeterFrame message = frame({-20}, {-23}, 24000);
      if (!view.fresh()) add_layout(message, "vox", 1);
      v1::MeterFrame::Values& values = *message.add_values();
      values.set_kind(kind);
      values.set_engine_frame(looked);
      values.add_values(0);
      values.add_not_measured(0);
      view.add(message);
      CHECK(view.complete() == (given_up && looked == 50000));
    }
  }
}

TEST_CASE("kinds are named as the command line and as JSON write them") {
  CHECK(kind_of("true-peak") == v1::METER_KIND_TRUE_PEAK);
  CHECK(kind_of("true_peak") == v1::METER_KIND_TRUE_PEAK);
  CHECK(kind_names().size() == static_cast<std::size_t>(v1::MeterKind_ARRAYSIZE) - 1);
  for (const std::string& name : kind_names()) CHECK(kind_name(kind_of(name)) == name);
  for (const char* wrong : {"", "unspecified", "party", "VU"}) CHECK_THROWS(static_cast<void>(kind_of(wrong)));
}
