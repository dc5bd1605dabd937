#include "server/control/meter_group.hpp"

#include <algorithm>
#include <utility>

#include "server/session/document.hpp"

namespace continuo::control {
namespace {

/// Where the next meter of a layout, of so many channels, was in the one before: there the `was`th, if there is one.
void add_place(LayoutChange& change, std::uint32_t channels, const std::vector<session::CompiledMeter>& before,
               std::size_t was) {
  const bool there = was < before.size();
  std::uint32_t flat = 0;
  for (std::size_t m = 0; there && m < was; ++m) flat += before[m].channels;
  change.meters.push_back(there ? std::optional(static_cast<std::uint32_t>(was)) : std::nullopt);
  for (std::uint32_t c = 0; c < channels; ++c)
    change.channels.push_back(there && c < before[was].channels ? std::optional(flat + c) : std::nullopt);
}

}  // namespace

MeterGroup::MeterGroup(const Parts& parts, const v1::WatchMetersRequest& request, KindSettings settings,
                       std::uint32_t rate_hz)
    : parts_(parts),
      nodes_(request.nodes().begin(), request.nodes().end()),
      inputs_(request.inputs()),
      rate_hz_(rate_hz),
      kinds_(parts.kinds, std::move(settings), rate_hz) {
  layout();
  // What was measured before somebody looked is nobody's.
  last_frame_ = parts_.engine_frame();
}

std::shared_ptr<v1::MeterFrame> MeterGroup::next() {
  // Before meters are let go of: what they have that was not told.
  std::optional<v1::MeterFrame> last;
  if (compiles_ != parts_.graph.compiles() && !measure(last.emplace(), false)) last.reset();
  const std::uint64_t version_before = layout_version_;
  layout();
  const bool anew = version_before != layout_version_;
  auto frame = std::make_shared<v1::MeterFrame>();
  if (!measure(*frame, anew || last)) return nullptr;
  if (last) fold_into(*frame, anew ? laid_out_anew(*last, change_) : *last);
  return frame;
}

std::shared_ptr<const v1::MeterFrame> MeterGroup::with_layout(const v1::MeterFrame& frame) const {
  auto copy = std::make_shared<v1::MeterFrame>(frame);
  for (const session::CompiledMeter& meter : meters_) {
    auto* info = copy->add_layout();
    info->set_node(meter.path);
    info->set_label(meter.label);
    info->set_channels(meter.channels);
  }
  return copy;
}

void MeterGroup::layout() {
  if (changes_ == parts_.graph.changes()) return;
  changes_ = parts_.graph.changes();
  compiles_ = parts_.graph.compiles();
  std::vector<MeterTaps::Hold> taps;
  for (const std::string& path : nodes_) {
    if (MeterTaps::Hold hold = parts_.taps.hold(path)) taps.push_back(std::move(hold));
  }
  taps_ = std::move(taps);
  std::vector<session::CompiledMeter> wanted;
  const auto add = [&](const std::string& path) {
    if (const session::CompiledMeter* const found = parts_.graph.meter(path)) wanted.push_back(*found);
  };
  const bool names_in = std::ranges::find(nodes_, "in") != nodes_.end();
  if (inputs_ && !names_in) add("in");
  if (nodes_.empty()) {
    for (const session::CompiledMeter& meter : parts_.graph.meters()) {
      if (meter.strip) wanted.push_back(meter);
    }
    add("out");
  }
  for (const std::string& path : nodes_) add(path);
  const auto same = [](const session::CompiledMeter& a, const session::CompiledMeter& b) {
    return a.path == b.path && a.label == b.label && a.channels == b.channels && a.slots == b.slots;
  };
  kinds_.follow(wanted, parts_.graph.shape().sample_rate_hz, parts_.engine_frame());
  if (layout_version_ != 0 && std::ranges::equal(wanted, meters_, same)) return;

  std::vector<rt::MeterChannelsReader> readers;
  LayoutChange change;
  for (const session::CompiledMeter& meter : wanted) {
    // Where the slots go on, so does their reader: an edit elsewhere loses no peak.
    const auto slots = std::ranges::find(meters_, meter.slots, &session::CompiledMeter::slots);
    const auto reader = slots - meters_.begin();
    readers.push_back(slots != meters_.end() ? readers_[static_cast<std::size_t>(reader)]
                                             : rt::MeterChannelsReader::from_now(*meter.slots));
    // A node may stay and have another meter: with more channels, say.
    const auto stays = std::ranges::find(meters_, meter.uid, &session::CompiledMeter::uid) - meters_.begin();
    add_place(change, meter.channels, meters_, static_cast<std::size_t>(stays));
  }
  std::vector<rt::MeterLook> looks;
  for (const session::CompiledMeter& meter : wanted) looks.emplace_back(meter.slots);
  looks_.swap(looks);  // the new before the old ones go: who stays is looked at throughout
  meters_ = std::move(wanted);
  readers_ = std::move(readers);
  change_ = std::move(change);
  levels_.assign(change_.channels.size(), {});
  ++layout_version_;
}

void MeterGroup::gather() {
  std::vector<rt::MeterWindow> windows;
  std::size_t flat = 0;
  for (std::size_t m = 0; m < meters_.size(); flat += meters_[m++].channels) {
    const session::CompiledMeter& meter = meters_[m];
    rt::MeterChannelsReader& reader = readers_[m];
    windows.assign(meter.slots->size(), {});
    const std::uint64_t from = reader.next;
    std::uint64_t missed = 0;
    if (!reader.fold(*meter.slots, windows, missed)) continue;
    const std::uint64_t count = reader.next - from - missed;
    newest_frame_ = std::max(newest_frame_, windows[0].end_frame);
    for (std::size_t c = 0; c < meter.channels && c < windows.size(); ++c) {
      Level& level = levels_[flat + c];
      level.peak = std::max(level.peak, windows[c].peak);
      level.power += static_cast<double>(windows[c].mean_square) * static_cast<double>(count);
      level.windows += count;
    }
  }
}

bool MeterGroup::measure(v1::MeterFrame& frame, bool wanted) {
  gather();
  bool any = false;
  for (Level& level : levels_) {
    const bool there = level.windows != 0;
    any |= there;
    if (!there) frame.add_not_measured(static_cast<std::uint32_t>(frame.peak_db_size()));
    frame.add_peak_db(there ? meter_db(static_cast<double>(level.peak), 20.0) : kQuietestDb);
    frame.add_rms_db(there ? meter_db(level.power / static_cast<double>(level.windows), 10.0) : kQuietestDb);
    level = {};
  }
  const rt::FrameCount newest = std::max(last_frame_, newest_frame_);
  // At a high rate a tick may find no new window: the next one does. Where the sound stands still, that is told once a
  // second.
  const bool stands = !any && !meters_.empty() && ++empty_ticks_ >= rate_hz_;
  if (!any && !meters_.empty() && !stands && !wanted) return false;
  if (any || stands) empty_ticks_ = 0;
  frame.set_engine_frame(newest);
  frame.set_covers_frames(static_cast<std::uint32_t>(std::clamp<rt::FrameCount>(newest - last_frame_, 0, UINT32_MAX)));
  last_frame_ = newest;
  kinds_.add_to(frame, stands);
  *frame.mutable_clock() = parts_.clock();
  return true;
}

}  // namespace continuo::control
