#include "server/control/kind_meter.hpp"

#include <algorithm>
#include <utility>

#include "server/analysis/decibel.hpp"
#include "server/analysis/layout.hpp"
#include "server/control/meter_fold.hpp"

namespace continuo::control {
namespace {

float shown(double db) { return static_cast<float>(std::clamp(db, double{kQuietestDb}, double{kLoudestDb})); }
float level_of(double level) { return shown(analysis::level_db(level)); }

}  // namespace

bool is_of_meter(v1::MeterKind kind) {
  return kind == v1::METER_KIND_MOMENTARY || kind == v1::METER_KIND_SHORT_TERM || kind == v1::METER_KIND_CORRELATION ||
         kind == v1::METER_KIND_BALANCE;
}

std::optional<float> folded(v1::MeterKind kind, std::optional<float> earlier, std::optional<float> later) {
  const bool sum = kind == v1::METER_KIND_CLIPS;
  if (!sum && kind != v1::METER_KIND_TRUE_PEAK && kind != v1::METER_KIND_MOMENTARY) return later;
  if (!earlier || !later) return earlier ? earlier : later;
  return sum ? *earlier + *later : std::max(*earlier, *later);
}

KindMeter::KindMeter(double sample_rate_hz, std::uint32_t channels, const KindSettings& settings)
    : settings_(settings), rate_(sample_rate_hz), channels_(channels) {
  if (wants(v1::METER_KIND_PEAK_HOLD))
    peak_.emplace(sample_rate_hz, channels, settings.decay_db_per_s, settings.hold_s);
  if (wants(v1::METER_KIND_VU)) vu_.emplace(sample_rate_hz, channels);
  if (wants(v1::METER_KIND_PPM_I)) ppm_1_.emplace(sample_rate_hz, channels, analysis::PpmType::type_1);
  if (wants(v1::METER_KIND_PPM_II)) ppm_2_.emplace(sample_rate_hz, channels, analysis::PpmType::type_2);
  if (wants(v1::METER_KIND_TRUE_PEAK))
    true_peak_.emplace(sample_rate_hz, channels, analysis::TruePeakMeter::Before::sound);
  if (wants(v1::METER_KIND_CLIPS)) clips_.assign(channels, analysis::ClipCounter(1, analysis::kFullScale16));
  if (wants(v1::METER_KIND_SILENCE))
    silences_.assign(channels, analysis::SilenceDetector(sample_rate_hz, 1, settings.silence_db));
  if (wants(v1::METER_KIND_MOMENTARY) || wants(v1::METER_KIND_SHORT_TERM))
    loudness_.emplace(sample_rate_hz, analysis::usual_weights(channels));
  if (channels >= 2 && (wants(v1::METER_KIND_CORRELATION) || wants(v1::METER_KIND_BALANCE)))
    stereo_.emplace(sample_rate_hz);
}

bool KindMeter::wants(v1::MeterKind kind) const {
  return std::ranges::find(settings_.kinds, kind) != settings_.kinds.end();
}

void KindMeter::feed(const Sound& sound) {
  const analysis::Frames all = sound.all();
  if (peak_) peak_->feed(all);
  if (vu_) vu_->feed(all);
  if (ppm_1_) ppm_1_->feed(all);
  if (ppm_2_) ppm_2_->feed(all);
  if (true_peak_) true_peak_->feed(all);
  for (std::uint32_t c = 0; c < clips_.size(); ++c) clips_[c].feed(sound.one(c));
  for (std::uint32_t c = 0; c < silences_.size(); ++c) silences_[c].feed(sound.one(c));
  if (stereo_) stereo_->feed(all);
  if (loudness_) {
    loudness_->feed(all);
    // A piece is shorter than the 10 ms in which it moves.
    if (loudness_->whole_blocks()) momentary_ = std::max(momentary_.value_or(-1000.0), loudness_->momentary());
  }
  frames_ += sound.frames;
  end_frame_ = sound.end_frame;
}

KindMeter::Value KindMeter::level(v1::MeterKind kind, std::uint32_t channel) const {
  switch (kind) {
    case v1::METER_KIND_PEAK_HOLD:
      return level_of(peak_->level(channel));
    case v1::METER_KIND_VU:
      return level_of(vu_->level(channel));
    case v1::METER_KIND_PPM_I:
      return level_of(ppm_1_->level(channel));
    case v1::METER_KIND_PPM_II:
      return level_of(ppm_2_->level(channel));
    case v1::METER_KIND_CLIPS:
      return static_cast<float>(clips_[channel].samples());
    case v1::METER_KIND_SILENCE:
      return static_cast<float>(static_cast<double>(silences_[channel].quiet_frames()) / rate_);
    case v1::METER_KIND_TRUE_PEAK:
      return level_of(static_cast<double>(true_peak_->max(channel)));
    case v1::METER_KIND_MOMENTARY:
      return momentary_ ? Value(shown(*momentary_)) : std::nullopt;
    case v1::METER_KIND_SHORT_TERM:
      return loudness_->whole_windows() ? Value(shown(loudness_->short_term())) : std::nullopt;
    case v1::METER_KIND_CORRELATION:
      return stereo_ && stereo_->both_heard() ? Value(static_cast<float>(stereo_->correlation())) : std::nullopt;
    case v1::METER_KIND_BALANCE:
      return stereo_ && stereo_->heard() ? Value(static_cast<float>(stereo_->balance())) : std::nullopt;
    default:
      return std::nullopt;
  }
}

void KindMeter::publish() {
  if (frames_ == 0) return;
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t k = 0; k < settings_.kinds.size(); ++k) {
      const v1::MeterKind kind = settings_.kinds[k];
      const std::uint32_t count = is_of_meter(kind) ? 1 : channels_;
      for (std::uint32_t c = 0; c < count; ++c) {
        const Value now = level(kind, c);
        for (Reader* const reader : readers_) {
          Value& value = reader->reading_.kinds[k][c];
          value = reader->reading_.frames == 0 ? now : folded(kind, value, now);
        }
      }
    }
    for (Reader* const reader : readers_) {
      reader->reading_.frames += frames_;
      reader->reading_.end_frame = end_frame_;
    }
  }
  frames_ = 0;
  momentary_.reset();
  for (analysis::ClipCounter& clips : clips_) clips.restart();
  if (true_peak_) true_peak_->restart();
}

KindMeter::Reader::Reader(std::shared_ptr<KindMeter> meter) : meter_(std::move(meter)) {
  for (const v1::MeterKind kind : meter_->settings_.kinds)
    reading_.kinds.emplace_back(is_of_meter(kind) ? 1 : meter_->channels_);
  const std::lock_guard lock(meter_->mutex_);
  meter_->readers_.push_back(this);
}

KindMeter::Reader::~Reader() {
  const std::lock_guard lock(meter_->mutex_);
  std::erase(meter_->readers_, this);
}

KindMeter::Reading KindMeter::Reader::take() {
  const std::lock_guard lock(meter_->mutex_);
  Reading taken = reading_;
  reading_.frames = 0;
  return taken;
}

}  // namespace continuo::control
