// THREAD: any, one at a time - what meters show beside peak and RMS, folded between two drawings
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "continuo/v1/meter.pb.h"

namespace continuo::cli {

/// "true-peak": how the command line calls it.
[[nodiscard]] std::string kind_name(v1::MeterKind kind);
/// All that there are.
[[nodiscard]] std::vector<std::string> kind_names();
/// Throws a Failure that names those that there are.
[[nodiscard]] v1::MeterKind kind_of(const std::string& name);

/// Maxima stay, clips are summed, of all else the newest counts.
class MeterValues {
 public:
  /// `channels`: of each meter, in layout order. A frame that does not fit is left out.
  void add(const v1::MeterFrame& frame, const std::vector<std::size_t>& channels);
  /// What maxima and sums were is told.
  void begin_anew();
  void clear() { kinds_.clear(); }
  [[nodiscard]] bool empty() const { return kinds_.empty(); }
  /// Every kind has a value for everything. What silence and a single channel have none of (correlation, balance) is
  /// given up once so many frames were looked at.
  [[nodiscard]] bool complete(double settle_frames) const;

  /// "true-peak -3.1 -3.2 dBTP   momentary -23.0 LUFS", of one meter, in lines of at most `width` columns.
  [[nodiscard]] std::vector<std::string> lines(std::size_t meter, std::size_t width) const;
  /// "true-peak=-3.1 -3.2", one field a kind.
  [[nodiscard]] std::vector<std::string> fields(std::size_t meter) const;
  /// {"true_peak":[-3.100,-3.200],"clips":[0,2],"momentary":[null]}
  [[nodiscard]] std::string json(std::size_t meter) const;

 private:
  using Value = std::optional<float>;
  struct Kind {
    v1::MeterKind kind = v1::METER_KIND_UNSPECIFIED;
    std::vector<std::vector<Value>> meters;
    std::int64_t begun = 0;   // engine frame that was first told
    std::int64_t looked = 0;  // and last
  };
  std::vector<Kind> kinds_;
};

}  // namespace continuo::cli
