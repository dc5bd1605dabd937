#include "server/control/meter_kinds.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "server/control/meter_fold.hpp"

namespace continuo::control {
namespace {

Error out_of_range(const char* field, const std::string& what) {
  return make_error(ErrorKind::invalid_argument, "OUT_OF_RANGE", field, std::string(field) + " must be " + what);
}

}  // namespace

Result<KindSettings> kinds_of(const v1::WatchMetersRequest& request) {
  KindSettings settings;
  std::set<int> there;
  for (int i = 0; i < request.kinds_size(); ++i) {
    const int kind = request.kinds(i);
    const std::string field = "kinds[" + std::to_string(i) + "]";
    if (!v1::MeterKind_IsValid(kind) || kind == v1::METER_KIND_UNSPECIFIED) {
      return make_error(ErrorKind::invalid_argument, "UNKNOWN_KIND", field,
                        "there is no kind of meter " + std::to_string(kind));
    }
    if (!there.insert(kind).second) {
      return make_error(ErrorKind::invalid_argument, "DUPLICATE_KIND", field,
                        v1::MeterKind_Name(static_cast<v1::MeterKind>(kind)) + " is asked for twice");
    }
    settings.kinds.push_back(static_cast<v1::MeterKind>(kind));
  }
  if (request.has_decay_db_per_s()) settings.decay_db_per_s = request.decay_db_per_s();
  if (request.has_hold_s()) settings.hold_s = request.hold_s();
  if (request.has_silence_db()) settings.silence_db = request.silence_db();
  if (!(settings.decay_db_per_s >= 1.0 && settings.decay_db_per_s <= 1000.0))
    return out_of_range("decay_db_per_s", "1 to 1000 dB a second");
  if (!(settings.hold_s >= 0.0 && settings.hold_s <= 60.0)) return out_of_range("hold_s", "0 to 60 seconds");
  if (!(settings.silence_db >= -140.0 && settings.silence_db <= 0.0))
    return out_of_range("silence_db", "-140 to 0 dBFS");
  return settings;
}

std::string to_key(const KindSettings& settings) {
  if (settings.kinds.empty()) return {};
  std::string key = "+kinds";
  for (const v1::MeterKind kind : settings.kinds) key += " " + std::to_string(static_cast<int>(kind));
  const auto has = [&](v1::MeterKind kind) { return std::ranges::find(settings.kinds, kind) != settings.kinds.end(); };
  if (has(v1::METER_KIND_PEAK_HOLD))
    key += " hold " + std::to_string(settings.decay_db_per_s) + " " + std::to_string(settings.hold_s);
  if (has(v1::METER_KIND_SILENCE)) key += " silence " + std::to_string(settings.silence_db);
  return key;
}

std::shared_ptr<KindMeters::Shared> KindMeters::of(const std::shared_ptr<rt::MeterSlots>& slots,
                                                   const KindSettings& settings, double sample_rate_hz,
                                                   rt::FrameCount now) {
  std::erase_if(all_, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<Shared>& place = all_[{slots.get(), sample_rate_hz, to_key(settings)}];
  std::shared_ptr<Shared> shared = place.lock();
  if (!shared) {
    shared = std::make_shared<Shared>(Shared{slots, nullptr, {}});
    shared->meter = std::make_shared<KindMeter>(sample_rate_hz, static_cast<std::uint32_t>(slots->size()), settings);
    place = shared;
  }
  if (!shared->hearing) shared->hearing = analysis_.hear(slots, shared->meter, now, sample_rate_hz);
  return shared;
}

MeterKinds::MeterKinds(KindMeters& all, KindSettings settings, std::uint32_t rate_hz)
    : all_(all), settings_(std::move(settings)), patience_(std::max(1u, rate_hz / 4)) {}

void MeterKinds::follow(const std::vector<session::CompiledMeter>& meters, double sample_rate_hz, rt::FrameCount now) {
  if (settings_.kinds.empty()) return;
  std::vector<Meter> before = std::exchange(meters_, {});
  if (std::exchange(sample_rate_hz_, sample_rate_hz) != sample_rate_hz) {
    for (Meter& old : before) old.slots.reset();  // measures are for one rate: all begin anew
  }
  for (const session::CompiledMeter& meter : meters) {
    const auto stays = std::ranges::find(before, meter.slots, &Meter::slots);
    if (stays != before.end()) {
      meters_.push_back(std::exchange(*stays, {}));
      meters_.back().channels = meter.channels;
      if (meters_.back().measures->hearing) continue;
      meters_.pop_back();
    }
    Meter fresh{meter.slots, meter.channels, all_.of(meter.slots, settings_, sample_rate_hz, now), nullptr, 0};
    fresh.reader = std::make_unique<KindMeter::Reader>(fresh.measures->meter);
    meters_.push_back(std::move(fresh));
  }
}

void MeterKinds::add_to(v1::MeterFrame& frame, bool stands) {
  if (settings_.kinds.empty()) return;
  for (const v1::MeterKind kind : settings_.kinds) frame.add_values()->set_kind(kind);
  for (Meter& meter : meters_) {
    const KindMeter::Reading reading = meter.reader->take();
    meter.empty = reading.frames == 0 ? meter.empty + 1 : 0;
    for (std::size_t k = 0; k < settings_.kinds.size(); ++k) {
      const v1::MeterKind kind = settings_.kinds[k];
      v1::MeterFrame::Values& values = *frame.mutable_values(static_cast<int>(k));
      values.set_engine_frame(std::max(values.engine_frame(), reading.end_frame));
      // At a high rate nothing may be new: a level is what it was, and maxima and sums are the next frame's.
      const bool old = reading.frames == 0 && (stands || meter.empty > patience_ || folded(kind, 0.0f, {}).has_value());
      const std::uint32_t count = is_of_meter(kind) ? 1 : meter.channels;
      for (std::uint32_t c = 0; c < count; ++c) {
        const KindMeter::Value value = old || c >= reading.kinds[k].size() ? KindMeter::Value() : reading.kinds[k][c];
        if (!value) values.add_not_measured(static_cast<std::uint32_t>(values.values_size()));
        values.add_values(value.value_or(kQuietestDb));
      }
    }
  }
}

void fold_values(v1::MeterFrame& later, const v1::MeterFrame& earlier) {
  for (int k = 0; k < later.values_size() && k < earlier.values_size(); ++k) {
    v1::MeterFrame::Values& to = *later.mutable_values(k);
    const v1::MeterFrame::Values& from = earlier.values(k);
    const std::set<std::uint32_t> no_later(to.not_measured().begin(), to.not_measured().end());
    const std::set<std::uint32_t> no_earlier(from.not_measured().begin(), from.not_measured().end());
    to.clear_not_measured();
    for (int i = 0; i < to.values_size(); ++i) {
      const auto index = static_cast<std::uint32_t>(i);
      const bool was = i < from.values_size() && !no_earlier.contains(index);
      const auto value = folded(to.kind(), was ? std::optional(from.values(i)) : std::nullopt,
                                no_later.contains(index) ? std::nullopt : std::optional(to.values(i)));
      if (!value) to.add_not_measured(index);
      if (value) to.set_values(i, *value);
    }
    to.set_engine_frame(std::max(to.engine_frame(), from.engine_frame()));
  }
}

}  // namespace continuo::control
