// What becomes of takes: closed, ended by a full or sick disk, repaired at the start; and what is told of them.
#include <algorithm>
#include <cmath>
#include <utility>

#include "server/base/log.hpp"
#include "server/control/media_transfer.hpp"
#include "server/control/prerolls.hpp"
#include "server/control/takes.hpp"

namespace continuo::control {
namespace {

using Event = v1::WatchResponse::TakeEvent;
constexpr std::size_t kMaxCutOff = 1000;
constexpr std::size_t kMaxToldFiles = 1000;      // of one take
constexpr std::chrono::seconds kLossesEvery{1};  // of one take

std::string seconds_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::clamp(seconds, 0.0, 1e9));
  if (whole >= 60) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return std::to_string(whole) + " s";
}

std::string length_text(const Takes::Report& take) {
  return seconds_text(static_cast<double>(take.frames()) / std::max(1u, take.sample_rate_hz())) + " (" +
         std::to_string(take.frames()) + " frames)";
}

std::string root_of(const std::string& name) { return name.substr(0, name.find(':')); }

}  // namespace

std::string low_space_text(const v1::GetStatusResponse::TakeVolume& volume) {
  std::string roots;
  for (const std::string& root : volume.roots()) roots += (roots.empty() ? "" : ", ") + root + ":";
  return "the disk of " + roots + " is full in " + seconds_text(volume.seconds_left()) +
         " at the rate of the running takes (" + std::to_string(std::llround(volume.bytes_per_second() / 1000.0)) +
         " kB/s, " +
         (volume.free_bytes() < 10'000'000 ? std::to_string(volume.free_bytes() / 1000) + " kB"
                                           : std::to_string(volume.free_bytes() / 1'000'000) + " MB") +
         " left)";
}

void Takes::describe(const Opened& take, Report& out) const {
  const rt::Sink& sink = take.writer->sink();
  out.set_id(take.id);
  const Ref all = ref(take);
  out.set_file(all.files.front());
  if (all.files.size() > 1) {
    const auto told = static_cast<std::ptrdiff_t>(std::min(all.files.size(), kMaxToldFiles));
    out.mutable_files()->Add(all.files.begin(), all.files.begin() + told);
  }
  if (const auto place = take.writer->place()) {
    out.set_time_reference(place->time_reference);
    if (place->began_utc_ns > 0) out.set_began(utc_text(place->began_utc_ns));
  }
  describe_copies(take, out);
  out.set_node(take.order.node);
  out.set_channels(take.order.channels);
  out.set_sample_rate_hz(static_cast<std::uint32_t>(std::llround(take.rate_hz)));
  out.set_recording(true);
  if (!sink.started.load(std::memory_order_acquire)) return;
  out.set_frames(sink.frames_taken.load(std::memory_order_relaxed));
  out.set_lost_frames(sink.lost_frames.load(std::memory_order_relaxed));
  out.set_start_engine_frame(sink.start_engine_frame.load(std::memory_order_relaxed));
  out.set_start_timeline_frame(sink.start_timeline_frame.load(std::memory_order_relaxed));
}

void Takes::report(google::protobuf::RepeatedPtrField<Report>& out) const {
  for (const Report& take : repaired_) *out.Add() = take;
  for (const Report& take : last_) *out.Add() = take;
  for (const Running& running : running_) {
    if (!running.failed) describe(running.take, *out.Add());
  }
}

std::map<std::uint64_t, v1::GetStatusResponse::TakeVolume> Takes::volumes() const {
  std::map<std::uint64_t, v1::GetStatusResponse::TakeVolume> all;
  for (const auto& [volume, free] : pool_.free_bytes()) {
    v1::GetStatusResponse::TakeVolume out;
    std::set<std::string> roots;
    double rate = 0.0;
    for (const Running& running : running_) {
      if (running.failed || running.take.writer->volume() != volume) continue;
      roots.insert(root_of(running.take.name));
      if (running.take.mirror) roots.insert(root_of(running.take.second));
      rate += running.take.rate_hz * running.take.order.channels * media::bytes_per_sample(running.take.order.format);
    }
    if (roots.empty() || free < 0 || rate <= 0.0) continue;
    for (const std::string& root : roots) out.add_roots(root);
    out.set_free_bytes(free);
    out.set_bytes_per_second(rate);
    out.set_seconds_left(static_cast<double>(free) / rate);
    all[volume] = std::move(out);
  }
  return all;
}

std::vector<std::string> Takes::reasons() const {
  std::vector<std::string> all(problems_.begin(), problems_.end());
  if (!no_second_.empty()) all.push_back(no_second_);
  if (prerolls_ != nullptr) {
    for (std::string& why : prerolls_->reasons()) all.push_back(std::move(why));
  }
  for (const auto& [id, volume] : volumes()) {
    if (volume.seconds_left() < kLowSpaceSeconds) all.push_back(low_space_text(volume));
  }
  return all;
}

void Takes::tell(Event::Kind kind, const Report* take, std::string message) const {
  Event event;
  event.set_kind(kind);
  if (take != nullptr) *event.mutable_take() = *take;
  event.set_message(std::move(message));
  hooks_.happened(std::move(event));
}

void Takes::remember(const Opened& take, const media::TakeResult& result) {
  Report report;
  describe(take, report);
  report.set_recording(false);
  report.set_frames(result.frames);
  report.set_lost_frames(result.lost_frames);
  report.set_unmarked_holes(result.unmarked_gaps);
  report.set_error(result.error);
  // Where that name was taken meanwhile, or could not be given, the sound is beside it.
  const std::size_t folder = take.name.find_last_of(":/");
  report.set_file(take.name.substr(0, folder + 1) + result.file.filename().string());
  for (int i = 0; i < report.files_size(); ++i)
    report.set_files(i,
                     take.name.substr(0, folder + 1) + result.files[static_cast<std::size_t>(i)].filename().string());
  put_right(take, report);
  if (result.error.empty()) {
    log::info("take {}: {} frames, {} of them lost", report.file(), result.frames, result.lost_frames);
    tell(Event::KIND_CLOSED, &report, report.file() + ": " + length_text(report));
  } else {
    const std::string what = "take " + report.file() + " ended after " + length_text(report) + ": " + result.error;
    log::error("{}", what);
    problems_.push_back(what);
    if (problems_.size() > kMaxProblems) problems_.pop_front();
    tell(Event::KIND_FAILED, &report, what);
  }
  last_.push_back(report);
  if (last_.size() > kRemembered) last_.pop_front();
  std::vector<Waiter> ready;
  std::erase_if(waiters_, [&](Waiter& waiter) {
    if (waiter.missing.erase(take.id) > 0) waiter.closed.push_back(report);
    if (!waiter.missing.empty()) return false;
    ready.push_back(std::move(waiter));
    return true;
  });
  for (Waiter& waiter : ready) waiter.then(std::move(waiter.closed));
}

void Takes::failed(const media::TakeWriter* writer, const media::TakeResult& result) {
  const auto found = std::ranges::find_if(running_, [&](const Running& r) { return r.take.writer.get() == writer; });
  if (found == running_.end() || found->failed) return;
  found->failed = true;
  if (!std::exchange(found->stopping, true)) {
    if (cut_off_.size() < kMaxCutOff) cut_off_[found->take.order.node] = ref(found->take);
    rt::Action action;
    action.kind = rt::Action::Kind::record_stop;
    action.node = found->recorder;
    action.sink = found->sink();
    hooks_.send(action);
  }
  const Opened take = found->take;
  remember(take, result);
}

void Takes::closed(const media::TakeWriter* writer, const media::TakeResult& result) {
  const auto found = std::ranges::find_if(running_, [&](const Running& r) { return r.take.writer.get() == writer; });
  if (found == running_.end()) return;
  const Running ended = std::move(*found);
  running_.erase(found);
  if (!ended.failed) {
    if (!ended.stopping && !result.error.empty() && cut_off_.size() < kMaxCutOff)
      cut_off_[ended.take.order.node] = ref(ended.take);
    remember(ended.take, result);
  }
  hooks_.ended();
}

void Takes::when_closed(const std::vector<Ref>& takes, std::function<void(std::vector<Report>)> then) {
  Waiter waiter;
  for (const Ref& take : takes) {
    const bool runs = std::ranges::any_of(
        running_, [&](const Running& running) { return running.take.id == take.id && !running.failed; });
    const auto known = std::ranges::find_if(last_, [&](const Report& report) { return report.id() == take.id; });
    if (runs)
      waiter.missing.insert(take.id);
    else if (known != last_.end())
      waiter.closed.push_back(*known);
  }
  if (waiter.missing.empty()) return then(std::move(waiter.closed));
  waiter.then = std::move(then);
  waiters_.push_back(std::move(waiter));
}

void Takes::look() {
  tell_losses();
  tell_low_space();
  look_at_copies();
  if (!running_.empty() || !copies_.empty()) return timer_.after(kLook, [this] { look(); });
  low_.clear();
}

void Takes::tell_losses() {
  const auto now = Timer::Clock::now();
  for (Running& running : running_) {
    const std::uint64_t lost = running.take.writer->sink().lost_frames.load(std::memory_order_relaxed);
    if (running.failed || lost == running.told_lost || now - running.lost_told_at < kLossesEvery) continue;
    Report report;
    describe(running.take, report);
    const std::string what = "take " + report.file() + ": the disk stands still; " +
                             std::to_string(lost - running.told_lost) + " frames were lost and become silence (" +
                             std::to_string(lost) + " in all)";
    running.told_lost = lost;
    running.lost_told_at = now;
    log::warning("{}", what);
    tell(Event::KIND_LOST, &report, what);
  }
}

void Takes::tell_low_space() {
  for (const auto& [id, volume] : volumes()) {
    if (volume.seconds_left() > kSpaceAgainSeconds) low_.erase(id);
    if (volume.seconds_left() >= kLowSpaceSeconds || !low_.insert(id).second) continue;
    const std::string what = low_space_text(volume);
    log::warning("{}", what);
    tell(Event::KIND_LOW_SPACE, nullptr, what);
  }
}

void Takes::repair(const std::filesystem::path& folder) {
  const auto takes2 = roots_.folders().find("takes2");
  const bool own =
      folder == roots_.folders().at("takes") || (takes2 != roots_.folders().end() && folder == takes2->second);
  pool_.post_later([this, folder, own, stop = stop_repair_, post = strand_.poster()] {
    const auto asked = [stop] { return stop->load(std::memory_order_relaxed); };
    const std::vector<media::RepairedTake> takes = media::repair_takes(folder, own, asked);
    if (!takes.empty()) post([this, folder, takes] { repaired(folder, takes); });
  });
}

void Takes::repaired(const std::filesystem::path& folder, const std::vector<media::RepairedTake>& takes) {
  const auto root = std::ranges::find_if(roots_.folders(), [&](const auto& each) { return each.second == folder; });
  for (const media::RepairedTake& take : takes) {
    Report report;
    report.set_id(next_id_++);
    report.set_file((root == roots_.folders().end() ? "takes" : root->first) + ":" +
                    take.file.lexically_relative(folder).generic_string());
    report.set_channels(take.channels);
    report.set_sample_rate_hz(take.sample_rate_hz);
    report.set_frames(take.frames);
    report.set_recovered(take.error.empty());
    report.set_error(take.error);
    const std::string what = take.error.empty()
                                 ? "take " + report.file() + " was cut off and is repaired: " + length_text(report)
                                 : "take " + report.file() + " was cut off: " + take.error;
    log::warning("{}", what);
    tell(take.error.empty() ? Event::KIND_RECOVERED : Event::KIND_FAILED, &report, what);
    repaired_.push_back(std::move(report));
    if (repaired_.size() > kRemembered) repaired_.pop_front();
  }
}

}  // namespace continuo::control
