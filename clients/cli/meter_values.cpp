#include "clients/cli/meter_values.hpp"

#include <algorithm>
#include <set>

#include "clients/cli/failure.hpp"
#include "clients/cli/output.hpp"

namespace continuo::cli {
namespace {

constexpr const char* kPrefix = "METER_KIND_";

bool is_of_meter(v1::MeterKind kind) {
  return kind == v1::METER_KIND_MOMENTARY || kind == v1::METER_KIND_SHORT_TERM || kind == v1::METER_KIND_CORRELATION ||
         kind == v1::METER_KIND_BALANCE;
}

bool is_maximum(v1::MeterKind kind) { return kind == v1::METER_KIND_TRUE_PEAK || kind == v1::METER_KIND_MOMENTARY; }

bool may_stay_absent(v1::MeterKind kind) {
  return kind == v1::METER_KIND_CORRELATION || kind == v1::METER_KIND_BALANCE;
}

const char* unit_of(v1::MeterKind kind) {
  switch (kind) {
    case v1::METER_KIND_CLIPS:
    case v1::METER_KIND_CORRELATION:
    case v1::METER_KIND_BALANCE:
      return "";
    case v1::METER_KIND_SILENCE:
      return " s";
    case v1::METER_KIND_TRUE_PEAK:
      return " dBTP";
    case v1::METER_KIND_MOMENTARY:
    case v1::METER_KIND_SHORT_TERM:
      return " LUFS";
    default:
      return " dB";
  }
}

std::string value_text(v1::MeterKind kind, std::optional<float> value) {
  if (!value) return "-";
  const bool part = kind == v1::METER_KIND_CORRELATION || kind == v1::METER_KIND_BALANCE;
  if (kind == v1::METER_KIND_CLIPS) return format("%.0f", static_cast<double>(*value));
  return format(part ? "%+.2f" : "%.1f", static_cast<double>(*value));
}

std::string json_number(v1::MeterKind kind, float value) {
  return format(kind == v1::METER_KIND_CLIPS ? "%.0f" : "%.3f", static_cast<double>(value));
}

}  // namespace

std::string kind_name(v1::MeterKind kind) {
  std::string name = v1::MeterKind_Name(kind);
  name.erase(0, std::min(name.size(), std::string(kPrefix).size()));
  for (char& c : name) c = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return name;
}

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (int kind = 1; v1::MeterKind_IsValid(kind); ++kind) names.push_back(kind_name(static_cast<v1::MeterKind>(kind)));
  return names;
}

v1::MeterKind kind_of(const std::string& text) {
  std::string name = text;
  std::ranges::replace(name, '_', '-');  // as JSON has it
  std::string all;
  for (int kind = 1; v1::MeterKind_IsValid(kind); ++kind) {
    if (kind_name(static_cast<v1::MeterKind>(kind)) == name) return static_cast<v1::MeterKind>(kind);
    all += (all.empty() ? "" : ", ") + kind_name(static_cast<v1::MeterKind>(kind));
  }
  throw Failure(kUsage, "UNKNOWN_KIND", "--kind", "there is no meter '" + text + "'; there are " + all);
}

void MeterValues::add(const v1::MeterFrame& frame, const std::vector<std::size_t>& channels) {
  kinds_.resize(static_cast<std::size_t>(frame.values_size()));
  for (int k = 0; k < frame.values_size(); ++k) {
    const v1::MeterFrame::Values& values = frame.values(k);
    Kind& kind = kinds_[static_cast<std::size_t>(k)];
    kind.kind = values.kind();
    kind.meters.resize(channels.size());
    if (kind.begun == 0) kind.begun = values.engine_frame();
    kind.looked = values.engine_frame();
    const std::set<std::uint32_t> missing(values.not_measured().begin(), values.not_measured().end());
    std::uint32_t index = 0;
    for (std::size_t m = 0; m < channels.size(); ++m) {
      std::vector<Value>& meter = kind.meters[m];
      meter.resize(is_of_meter(kind.kind) ? 1 : channels[m]);
      for (Value& value : meter) {
        const std::uint32_t at = index++;
        const bool there = at < static_cast<std::uint32_t>(values.values_size()) && !missing.contains(at);
        const Value now = there ? Value(values.values(static_cast<int>(at))) : std::nullopt;
        if (value && now && kind.kind == v1::METER_KIND_CLIPS)
          value = *value + *now;
        else if (value && now && is_maximum(kind.kind))
          value = std::max(*value, *now);
        else if (now || !(is_maximum(kind.kind) || kind.kind == v1::METER_KIND_CLIPS))
          value = now;
      }
    }
  }
}

void MeterValues::begin_anew() {
  for (Kind& kind : kinds_) {
    if (!is_maximum(kind.kind) && kind.kind != v1::METER_KIND_CLIPS) continue;
    for (std::vector<Value>& meter : kind.meters) std::ranges::fill(meter, std::nullopt);
  }
}

bool MeterValues::complete(double settle_frames) const {
  return std::ranges::all_of(kinds_, [settle_frames](const Kind& kind) {
    if (may_stay_absent(kind.kind) && static_cast<double>(kind.looked - kind.begun) >= settle_frames) return true;
    return std::ranges::all_of(kind.meters, [](const std::vector<Value>& meter) {
      return std::ranges::all_of(meter, [](const Value& value) { return value.has_value(); });
    });
  });
}

std::vector<std::string> MeterValues::lines(std::size_t meter, std::size_t width) const {
  std::vector<std::string> all;
  for (const Kind& kind : kinds_) {
    if (meter >= kind.meters.size()) continue;
    std::string text = kind_name(kind.kind);
    for (const Value& value : kind.meters[meter]) {
      const std::string number = value_text(kind.kind, value);
      text += " " + std::string(6 - std::min<std::size_t>(6, number.size()), ' ') + number;
    }
    text += unit_of(kind.kind);
    if (all.empty() || all.back().size() + 3 + text.size() > width)
      all.push_back(std::move(text));
    else
      all.back() += "   " + text;
  }
  return all;
}

std::vector<std::string> MeterValues::fields(std::size_t meter) const {
  std::vector<std::string> all;
  for (const Kind& kind : kinds_) {
    if (meter >= kind.meters.size()) continue;
    std::string text;
    for (const Value& value : kind.meters[meter]) text += (text.empty() ? "" : " ") + value_text(kind.kind, value);
    all.push_back(kind_name(kind.kind) + "=" + text);
  }
  return all;
}

std::string MeterValues::json(std::size_t meter) const {
  std::string all;
  for (const Kind& kind : kinds_) {
    if (meter >= kind.meters.size()) continue;
    std::string list;
    for (const Value& value : kind.meters[meter])
      list += (list.empty() ? "" : ",") + (value ? json_number(kind.kind, *value) : "null");
    std::string name = kind_name(kind.kind);
    std::ranges::replace(name, '-', '_');
    all += (all.empty() ? "\"" : ",\"") + name + "\":[" + list + "]";
  }
  return "{" + all + "}";
}

}  // namespace continuo::cli
