#include "server/control/meter_fold.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "server/control/kind_meter.hpp"
#include "server/control/meter_kinds.hpp"

namespace continuo::control {
namespace {

double power_of(float db) { return db <= kQuietestDb ? 0.0 : std::pow(10.0, static_cast<double>(db) / 10.0); }

using Missing = std::set<std::uint32_t>;

template <class List>
Missing missing_of(const List& indices) {
  return {indices.begin(), indices.end()};
}

bool is_there(const Missing& missing, std::optional<std::uint32_t> was, int count) {
  return was && static_cast<int>(*was) < count && !missing.contains(*was);
}

}  // namespace

float meter_db(double value, double per_decade) {
  if (std::isnan(value)) return kLoudestDb;
  if (value <= 0.0) return kQuietestDb;
  return static_cast<float>(std::clamp(per_decade * std::log10(value), double{kQuietestDb}, double{kLoudestDb}));
}

void fold_into(v1::MeterFrame& later, const v1::MeterFrame& earlier) {
  const double a = earlier.covers_frames();
  const double b = later.covers_frames();
  Missing missing = missing_of(later.not_measured());
  const Missing before = missing_of(earlier.not_measured());
  for (int i = 0; i < later.peak_db_size() && i < earlier.peak_db_size(); ++i) {
    const auto index = static_cast<std::uint32_t>(i);
    if (before.contains(index)) continue;
    if (missing.erase(index) != 0) {  // measured then, not now
      later.set_peak_db(i, earlier.peak_db(i));
      later.set_rms_db(i, earlier.rms_db(i));
      continue;
    }
    later.set_peak_db(i, std::max(later.peak_db(i), earlier.peak_db(i)));
    const double all = a + b;
    if (all > 0.0)
      later.set_rms_db(i, meter_db((power_of(earlier.rms_db(i)) * a + power_of(later.rms_db(i)) * b) / all, 10.0));
  }
  later.clear_not_measured();
  for (const std::uint32_t index : missing) later.add_not_measured(index);
  later.set_covers_frames(earlier.covers_frames() + later.covers_frames());
  fold_values(later, earlier);
  if (later.layout_size() == 0) *later.mutable_layout() = earlier.layout();
}

v1::MeterFrame laid_out_anew(const v1::MeterFrame& frame, const LayoutChange& change) {
  v1::MeterFrame anew;
  const Missing missing = missing_of(frame.not_measured());
  for (const std::optional<std::uint32_t> was : change.channels) {
    const bool there = is_there(missing, was, frame.peak_db_size());
    if (!there) anew.add_not_measured(static_cast<std::uint32_t>(anew.peak_db_size()));
    anew.add_peak_db(there ? frame.peak_db(static_cast<int>(*was)) : kQuietestDb);
    anew.add_rms_db(there ? frame.rms_db(static_cast<int>(*was)) : kQuietestDb);
  }
  for (const v1::MeterFrame::Values& before : frame.values()) {
    v1::MeterFrame::Values& values = *anew.add_values();
    values.set_kind(before.kind());
    values.set_engine_frame(before.engine_frame());
    const Missing none = missing_of(before.not_measured());
    for (const std::optional<std::uint32_t> was : is_of_meter(before.kind()) ? change.meters : change.channels) {
      const bool there = is_there(none, was, before.values_size());
      if (!there) values.add_not_measured(static_cast<std::uint32_t>(values.values_size()));
      values.add_values(there ? before.values(static_cast<int>(*was)) : kQuietestDb);
    }
  }
  anew.set_engine_frame(frame.engine_frame());
  anew.set_covers_frames(frame.covers_frames());
  *anew.mutable_clock() = frame.clock();
  return anew;
}

}  // namespace continuo::control
