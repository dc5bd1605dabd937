#include "clients/cli/meter_view.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "clients/cli/output.hpp"
#include "clients/cli/time_text.hpp"
#include "clients/cli/value_text.hpp"

namespace continuo::cli {
namespace {

constexpr float kSilence = -150.0F;
constexpr float kFloor = -60.0F;        // the left end of a bar
constexpr double kHoldSeconds = 1.5;    // how long a peak's mark stands
constexpr double kSettleSeconds = 0.6;  // a VU that begins is there after 0.3 s
constexpr std::size_t kChannelWidth = 3;
constexpr std::size_t kNumberWidth = 7;

std::string level_text(float db) { return db <= kSilence + 0.05F ? "-" : format("%.1f", static_cast<double>(db)); }

const char* colour_of(float db) { return db >= -3.0F ? "\x1b[31m" : db >= -12.0F ? "\x1b[33m" : "\x1b[32m"; }

std::size_t bar_width(std::size_t name_width, const MeterShape& shape) {
  const std::size_t fixed = name_width + kChannelWidth + kNumberWidth + 3;
  const auto columns = static_cast<std::size_t>(std::max(shape.columns - 1, 20));
  return columns > fixed + 10 ? columns - fixed : 10;
}

float cell_db(std::size_t cell, std::size_t width) {
  return kFloor * (1.0F - (static_cast<float>(cell) + 0.5F) / static_cast<float>(width));
}

std::string scale_line(std::size_t name_width, std::size_t width) {
  std::string scale(width, ' ');
  for (const int mark : {-60, -48, -36, -24, -12, -6, 0}) {
    const std::string text = std::to_string(mark);
    const double place = static_cast<double>(width) * (1.0 - mark / static_cast<double>(kFloor));
    const auto end = std::clamp(static_cast<std::size_t>(std::lround(place)), text.size(), width);
    scale.replace(end - text.size(), text.size(), text);
  }
  return std::string(name_width + kChannelWidth + 2, ' ') + scale;
}

}  // namespace

float MeterView::Channel::rms_db() const {
  if (frames <= 0.0 || power <= 0.0) return kSilence;
  return std::max(kSilence, static_cast<float>(10.0 * std::log10(power / frames)));
}

void MeterView::add(const v1::MeterFrame& frame) {
  if (frame.layout_size() > 0) {
    meters_.clear();
    values_.clear();
    for (const auto& info : frame.layout()) {
      std::string name = info.label().empty() ? info.node() : info.label();
      meters_.push_back({info.node(), printable(name), std::vector<Channel>(std::min(info.channels(), 4096U))});
    }
    begin_anew();
  }
  std::size_t total = 0;
  for (const Meter& meter : meters_) total += meter.channels.size();
  if (static_cast<std::size_t>(frame.peak_db_size()) != total ||
      static_cast<std::size_t>(frame.rms_db_size()) != total || total == 0)
    return;
  const std::set<std::uint32_t> missing(frame.not_measured().begin(), frame.not_measured().end());
  const double weight = std::max<double>(frame.covers_frames(), 1.0);
  const auto hold = static_cast<std::int64_t>(kHoldSeconds * frame.clock().engine_rate_hz());
  std::uint32_t index = 0;
  for (Meter& meter : meters_) {
    for (Channel& channel : meter.channels) {
      const auto at = static_cast<int>(index);
      if (missing.contains(index++)) continue;
      const float peak = frame.peak_db(at);
      channel.measured = true;
      channel.peak_db = std::max(channel.peak_db, peak);
      channel.power += weight * std::pow(10.0, static_cast<double>(frame.rms_db(at)) / 10.0);
      channel.frames += weight;
      if (peak >= channel.hold_db || frame.engine_frame() - channel.held_since > hold) {
        channel.hold_db = peak;
        channel.held_since = frame.engine_frame();
      }
    }
  }
  std::vector<std::size_t> channels;
  for (const Meter& meter : meters_) channels.push_back(meter.channels.size());
  values_.add(frame, channels);
  clock_ = frame.clock();
  engine_frame_ = frame.engine_frame();
  covered_ += std::max<std::uint64_t>(frame.covers_frames(), 1);
}

bool MeterView::complete() const {
  const double settle_frames = kSettleSeconds * clock_.engine_rate_hz();
  const bool settled =
      values_.empty() || (values_.complete(settle_frames) && static_cast<double>(covered_) >= settle_frames);
  return fresh() && settled && std::all_of(meters_.begin(), meters_.end(), [](const Meter& meter) {
           return std::all_of(meter.channels.begin(), meter.channels.end(),
                              [](const Channel& channel) { return channel.measured; });
         });
}

void MeterView::begin_anew() {
  covered_ = 0;
  values_.begin_anew();
  for (Meter& meter : meters_) {
    for (Channel& channel : meter.channels) {
      channel.peak_db = kSilence;
      channel.power = channel.frames = 0.0;
      channel.measured = false;
    }
  }
}

std::string MeterView::clock_line(const MeterShape& shape) const {
  const char* mark = clock_.rolling() ? (shape.utf8 ? "\u25b6 " : "> ") : (shape.utf8 ? "\u25a0 " : "# ");
  return mark + time_text(clock_.timeline_frame(), clock_.timeline_rate_hz()) + "  " +
         number_text(clock_.engine_rate_hz()) + " Hz";
}

std::string MeterView::row(const Meter& meter, const Channel& channel, int number, std::size_t name_width,
                           const MeterShape& shape) const {
  const std::size_t width = bar_width(name_width, shape);
  std::string line = number <= 1 ? fit(meter.name, name_width) : std::string(name_width, ' ');
  line += number > 0 && meter.channels.size() > 1 ? format(" %*d ", static_cast<int>(kChannelWidth), number)
                                                  : std::string(kChannelWidth + 2, ' ');
  if (!channel.measured) return line + fit("not measured", width);
  const float rms = channel.rms_db();
  const char* colour = "";
  for (std::size_t cell = 0; cell < width; ++cell) {
    const float db = cell_db(cell, width);
    const float next = cell_db(cell + 1, width);
    const bool hold = channel.hold_db >= db && (channel.hold_db < next || cell + 1 == width);
    const char* mark = " ";
    if (rms >= db) {
      mark = shape.utf8 ? "\u2588" : "#";
    } else if (channel.peak_db >= db) {
      mark = shape.utf8 ? "\u2592" : "=";
    } else if (hold) {
      mark = shape.utf8 ? "\u2502" : "|";
    }
    if (shape.colour && *mark != ' ' && colour != colour_of(db)) line += colour = colour_of(db);
    line += mark;
  }
  if (shape.colour && *colour != '\0') line += "\x1b[0m";
  const std::string text = level_text(channel.hold_db);
  const std::string number_text = std::string(kNumberWidth - std::min(kNumberWidth, text.size()), ' ') + text;
  return line + " " + (shape.colour && channel.hold_db >= 0.0F ? "\x1b[1;31m" + number_text + "\x1b[0m" : number_text);
}

std::string MeterView::draw_bars(const MeterShape& shape) {
  std::size_t name_width = 4;
  std::size_t channels = 0;
  for (const Meter& meter : meters_) {
    name_width = std::max(name_width, std::min<std::size_t>(text_width(meter.name), 16));
    channels += meter.channels.size();
  }
  const auto room =
      static_cast<std::size_t>(std::max(shape.rows - 3, 1));  // the clock, the scale, the cursor's own line
  std::vector<std::string> rows;
  for (std::size_t m = 0; m < meters_.size(); ++m) {
    const Meter& meter = meters_[m];
    if (channels <= room) {
      for (std::size_t i = 0; i < meter.channels.size(); ++i) {
        rows.push_back(row(meter, meter.channels[i], static_cast<int>(i) + 1, name_width, shape));
      }
    } else if (!meter.channels.empty()) {  // one row a meter: its loudest channel
      const auto loudest = std::max_element(meter.channels.begin(), meter.channels.end(),
                                            [](const Channel& a, const Channel& b) { return a.hold_db < b.hold_db; });
      rows.push_back(row(meter, *loudest, 0, name_width, shape));
    }
    const std::size_t indent = name_width + kChannelWidth + 2;
    const auto width = static_cast<std::size_t>(std::max(shape.columns - 1, 20));
    for (const std::string& line : values_.lines(m, width > indent ? width - indent : 1))
      rows.push_back(std::string(indent, ' ') + line);
  }
  if (rows.size() > room) {
    const std::size_t left_out = rows.size() - (room - 1);
    rows.resize(room - 1);
    rows.push_back(format("... and %zu more: the window is too small", left_out));
  }
  std::string text = clock_line(shape) + "\n" + scale_line(name_width, bar_width(name_width, shape)) + "\n";
  for (const std::string& line : rows) text += line + "\n";
  begin_anew();
  return text;
}

std::string MeterView::draw_lines() {
  std::string text;
  for (std::size_t m = 0; m < meters_.size(); ++m) {
    const Meter& meter = meters_[m];
    std::string peaks;
    std::string rms;
    for (const Channel& channel : meter.channels) {
      const char* gap = peaks.empty() ? "" : " ";
      peaks += gap + (channel.measured ? format("%.1f", static_cast<double>(channel.peak_db)) : "-");
      rms += gap + (channel.measured ? format("%.1f", static_cast<double>(channel.rms_db())) : "-");
    }
    text += time_text(clock_.timeline_frame(), clock_.timeline_rate_hz()) + "\t" + printable(meter.node) + "\t" +
            peaks + "\t" + rms;
    for (const std::string& field : values_.fields(m)) text += "\t" + field;
    text += "\n";
  }
  begin_anew();
  return text;
}

std::string MeterView::draw_json() {
  std::string text =
      format("{\"engine_frame\":%lld,\"covers_frames\":%llu,\"timeline_frame\":%lld,\"rolling\":%s,\"meters\":[",
             static_cast<long long>(engine_frame_), static_cast<unsigned long long>(covered_),
             static_cast<long long>(clock_.timeline_frame()), clock_.rolling() ? "true" : "false");
  const auto list = [](const Meter& meter, auto&& value) {
    std::string values;
    for (const Channel& channel : meter.channels) {
      values += (values.empty() ? "" : ",") +
                (channel.measured ? format("%.2f", static_cast<double>(value(channel))) : "null");
    }
    return "[" + values + "]";
  };
  const char* gap = "";
  for (std::size_t m = 0; m < meters_.size(); ++m) {
    const Meter& meter = meters_[m];
    text += gap + ("{\"node\":" + json_string(meter.node)) +
            ",\"peak_db\":" + list(meter, [](const Channel& c) { return c.peak_db; }) +
            ",\"rms_db\":" + list(meter, [](const Channel& c) { return c.rms_db(); }) +
            (values_.empty() ? "" : ",\"kinds\":" + values_.json(m)) + "}";
    gap = ",";
  }
  begin_anew();
  return text + "]}\n";
}

}  // namespace continuo::cli
