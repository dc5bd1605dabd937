#include "server/control/describe.hpp"

#include <algorithm>
#include <utility>

#include "server/session/queue.hpp"
#include "server/session/queue.hpp"
#include "server/session/session_file.hpp"

namespace continuo::control {
namespace {

v1::ParamSpec::Kind kind_of(session::ParamKind kind) {
  switch (kind) {
    case session::ParamKind::number:
      return v1::ParamSpec::KIND_NUMBER;
    case session::ParamKind::integer:
      return v1::ParamSpec::KIND_INTEGER;
    case session::ParamKind::boolean:
      return v1::ParamSpec::KIND_BOOL;
    case session::ParamKind::choice:
      return v1::ParamSpec::KIND_CHOICE;
    case session::ParamKind::text:
      return v1::ParamSpec::KIND_TEXT;
    case session::ParamKind::file:
      return v1::ParamSpec::KIND_FILE;
  }
  return v1::ParamSpec::KIND_UNSPECIFIED;
}

v1::ParamSpec::Scale scale_of(session::ParamScale scale) {
  switch (scale) {
    case session::ParamScale::linear:
      return v1::ParamSpec::SCALE_LINEAR;
    case session::ParamScale::decibel:
      return v1::ParamSpec::SCALE_DECIBEL;
    case session::ParamScale::logarithmic:
      return v1::ParamSpec::SCALE_LOGARITHMIC;
  }
  return v1::ParamSpec::SCALE_UNSPECIFIED;
}

void add_channels(google::protobuf::RepeatedPtrField<v1::ListDevicesResponse::Channel>& out, std::uint32_t count,
                  const std::vector<std::string>& names, const std::vector<std::string>* labels) {
  for (std::uint32_t c = 0; c < count; ++c) {
    auto& channel = *out.Add();
    channel.set_number(c + 1);
    if (c < names.size()) channel.set_driver_name(names[c]);
    if (labels != nullptr && c < labels->size()) channel.set_label((*labels)[c]);
  }
}

}  // namespace

v1::ParamSpec describe(const session::ParamSpec& spec) {
  v1::ParamSpec out;
  out.set_name(std::string(spec.name));
  out.set_kind(kind_of(spec.kind));
  if (spec.kind == session::ParamKind::number || spec.kind == session::ParamKind::integer) {
    out.set_min(spec.min);
    out.set_max(spec.max);
  }
  *out.mutable_default_value() = session::to_proto(spec.default_value);
  out.set_scale(scale_of(spec.scale));
  out.set_smoothing_ms(spec.smoothing_ms);
  for (const std::string_view choice : spec.choices) out.add_choices(std::string(choice));
  out.set_description(std::string(spec.description));
  out.set_structural(spec.structural);
  out.set_unit(std::string(spec.unit));
  return out;
}

Result<v1::ListParamsResponse> describe_params(const session::Document& document, const std::string& path) {
  const session::DocNode* node = session::find_node(document, path);
  if (node == nullptr) {
    return make_error(ErrorKind::not_found, "UNKNOWN_NODE", "path", "there is no node \"" + path + "\"");
  }
  v1::ListParamsResponse out;
  out.set_uid(node->uid);
  out.set_type(node->type);
  out.set_label(node->label);
  for (const session::QueueItem& item : node->queue) *out.add_queue() = session::item_to_proto(item);
  for (const session::ParamSpec& spec : session::find_type(node->type)->params) {
    auto& param = *out.add_params();
    *param.mutable_spec() = describe(spec);
    *param.mutable_value() = session::to_proto(session::value_of(*node, spec));
    const auto lane = node->lanes.find(std::string(spec.name));
    if (lane == node->lanes.end()) continue;
    const std::vector<session::LanePoint>& points = *lane->second.points;
    param.mutable_automation()->set_on(lane->second.on);
    param.mutable_automation()->set_points(static_cast<std::uint32_t>(points.size()));
    param.mutable_automation()->set_first_frame(points.front().frame);
    param.mutable_automation()->set_last_frame(points.back().frame);
  }
  return out;
}

v1::ListDevicesResponse describe_devices(const std::vector<device::DeviceInfo>& devices,
                                         const device::DeviceInfo* in_use, const std::vector<std::string>& input_labels,
                                         const std::vector<std::string>& output_labels) {
  v1::ListDevicesResponse out;
  const auto is_used = [&](const device::DeviceInfo& info) {
    return in_use != nullptr && info.name == in_use->name && info.host_api == in_use->host_api;
  };
  const auto add = [&](const device::DeviceInfo& info) {
    auto& entry = *out.add_devices();
    entry.set_name(info.name);
    entry.set_host_api(info.host_api);
    entry.set_default_sample_rate_hz(info.sample_rate_hz);
    entry.set_is_default(info.is_default);
    entry.set_in_use(is_used(info));
    add_channels(*entry.mutable_inputs(), info.in_channels, info.in_names, is_used(info) ? &input_labels : nullptr);
    add_channels(*entry.mutable_outputs(), info.out_channels, info.out_names, is_used(info) ? &output_labels : nullptr);
  };
  for (const device::DeviceInfo& info : devices) add(info);
  // The clock device is no driver's: it is named while it runs.
  if (in_use != nullptr && std::ranges::none_of(devices, is_used)) add(*in_use);
  return out;
}

}  // namespace continuo::control
