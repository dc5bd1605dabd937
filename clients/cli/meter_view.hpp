// THREAD: any, one at a time - meter frames folded into one picture: bars for a terminal, lines or JSON for a file
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "clients/cli/meter_values.hpp"
#include "continuo/v1/meter.pb.h"

namespace continuo::cli {

struct MeterShape {
  int columns = 80;
  int rows = 24;
  bool colour = false;
  bool utf8 = false;
};

/// However rarely it is drawn, no peak is lost: what comes between two drawings is folded (peaks by maximum, RMS by
/// power).
class MeterView {
 public:
  /// Frames before the first layout, and frames that do not fit their layout, are left out.
  void add(const v1::MeterFrame& frame);
  /// Something came since the last drawing.
  [[nodiscard]] bool fresh() const { return covered_ > 0; }
  /// Every channel of every meter was measured since the last drawing, and what else was asked for: long enough for
  /// ballistics that began with it.
  [[nodiscard]] bool complete() const;

  // Each draws what came since the last drawing, and begins to fold anew.
  [[nodiscard]] std::string draw_bars(const MeterShape& shape);
  /// "0:12.345 TAB node TAB peaks TAB rms", one line a meter, channels separated by spaces, "-" for not measured.
  [[nodiscard]] std::string draw_lines();
  [[nodiscard]] std::string draw_json();

 private:
  struct Channel {
    float peak_db = -150.0F;
    double power = 0.0;  // weighted by frames
    double frames = 0.0;
    bool measured = false;
    float hold_db = -150.0F;
    std::int64_t held_since = 0;  // engine frame
    [[nodiscard]] float rms_db() const;
  };
  struct Meter {
    std::string node;
    std::string name;
    std::vector<Channel> channels;
  };
  [[nodiscard]] std::string row(const Meter& meter, const Channel& channel, int number, std::size_t name_width,
                                const MeterShape& shape) const;
  [[nodiscard]] std::string clock_line(const MeterShape& shape) const;
  void begin_anew();

  std::vector<Meter> meters_;
  MeterValues values_;
  v1::Clock clock_;
  std::int64_t engine_frame_ = 0;
  std::uint64_t covered_ = 0;  // frames since the last drawing
};

}  // namespace continuo::cli
