// Takes that are written to two places: what became of either, and where the sound is in the end.
#include <algorithm>
#include <utility>

#include "server/base/log.hpp"
#include "server/control/takes.hpp"

namespace continuo::control {
namespace {

using Event = v1::WatchResponse::TakeEvent;

/// The name as a client writes it, with the file's own name where it got another one.
std::string name_of(const std::string& wanted, const std::filesystem::path& file) {
  return file.empty() ? wanted : wanted.substr(0, wanted.find_last_of(":/") + 1) + file.filename().string();
}

}  // namespace

std::shared_ptr<media::MirrorLine> Takes::line_of(const std::string& root) {
  auto& line = lines_[root];
  if (!line) line = std::make_shared<media::MirrorLine>("continuo-copy");
  return line;
}

void Takes::without_second(std::string why) {
  no_second_ = "takes have no second destination: " + std::move(why);
  log::warning("{}", no_second_);
  tell(Event::KIND_DESTINATION_LOST, nullptr, no_second_);
}

void Takes::copy_of(const Opened& take) {
  if (!take.mirror) return;
  if (take.order.second_root == default_second() && take.mirror->read()[1].error.empty()) no_second_.clear();
  Copy copy{.take = take};
  copy.take.writer = nullptr;
  copies_.push_back(std::move(copy));
}

void Takes::again(google::protobuf::RepeatedPtrField<v1::Operation>& out) const {
  for (const Running& running : running_) {
    const Order& order = running.take.order;
    if (running.stopping || !recording(order.node)) continue;
    v1::RecordStart& start = *out.Add()->mutable_record_start();
    start.add_nodes(order.node);
    if (!order.file.empty()) {
      start.set_file(order.file);
      start.set_next_free_name(true);
    }
    if (order.split) start.set_split_channels(true);
    if (order.split_seconds > 0.0) start.set_split_seconds(order.split_seconds);
    if (order.split_bytes > 0) start.set_split_bytes(static_cast<std::uint64_t>(order.split_bytes));
    const bool flac = order.container == media::Container::flac;
    start.set_format(order.format == media::SampleFormat::pcm24 ? flac ? v1::TAKE_FORMAT_FLAC24 : v1::TAKE_FORMAT_PCM24
                     : order.format == media::SampleFormat::pcm16
                         ? flac ? v1::TAKE_FORMAT_FLAC16 : v1::TAKE_FORMAT_PCM16
                         : v1::TAKE_FORMAT_FLOAT32);
    if (order.second_must) start.set_second_root(order.second_root);
    if (order.stop_timeline_frame) start.set_stop_timeline_frame(*order.stop_timeline_frame);
    const rt::FrameCount taken = running.take.writer->sink().frames_taken.load(std::memory_order_relaxed);
    if (order.limit != rt::kEndless) start.set_frames(std::max<rt::FrameCount>(1, order.limit - taken));
  }
}

bool Takes::copies_under_way() const {
  return std::ranges::any_of(copies_, [](const Copy& copy) {
    const media::MirrorReport::Both both = copy.take.mirror->read();
    return !both[0].closed() || !both[1].closed();
  });
}

void Takes::describe_copies(const Opened& take, Report& out) {
  if (!take.mirror) return;
  out.clear_destinations();
  const media::MirrorReport::Both both = take.mirror->read();
  for (std::size_t i = 0; i < both.size(); ++i) {
    auto& destination = *out.add_destinations();
    destination.set_file(name_of(i == 0 ? take.name : take.second, both[i].file));
    destination.set_error(both[i].error);
    destination.set_closed(both[i].closed() && both[i].error.empty());
  }
}

void Takes::put_right(const Opened& take, Report& report) const {
  if (!take.mirror) return;
  describe_copies(take, report);
  const media::MirrorReport::Both both = take.mirror->read();
  if (both[0].error.empty() || !both[1].error.empty()) return;
  const std::string root = take.second.substr(0, take.second.find(':'));
  const auto moved = [&](const std::string& name) { return root + name.substr(name.find(':')); };
  report.set_file(moved(report.file()));
  for (std::string& file : *report.mutable_files()) file = moved(file);
}

void Takes::look_at_copies() {
  std::vector<Copy> done;
  for (Copy& copy : copies_) {
    copy.take_closed = std::ranges::none_of(running_, [&](const Running& r) { return r.take.id == copy.take.id; });
    const media::MirrorReport::Both both = copy.take.mirror->read();
    for (std::size_t i = 0; i < both.size(); ++i) {
      if (both[i].error.empty() || std::exchange(copy.told[i], true)) continue;
      const bool whole = both[1 - i].error.empty();
      const std::string what = "take " + copy.take.name + ": its " + (i == 0 ? "first" : "second") +
                               " destination is lost: " + both[i].error +
                               (whole ? "; it goes on in " + (i == 0 ? copy.take.second : copy.take.name) : "");
      log::error("{}", what);
      problems_.push_back(what);
      if (problems_.size() > kMaxProblems) problems_.pop_front();
      Report report;
      const auto runs = std::ranges::find_if(running_, [&](const Running& r) { return r.take.id == copy.take.id; });
      const auto known = std::ranges::find_if(last_, [&](const Report& r) { return r.id() == copy.take.id; });
      if (runs != running_.end())
        describe(runs->take, report);
      else if (known != last_.end())
        report = *known;
      describe_copies(copy.take, report);
      tell(Event::KIND_DESTINATION_LOST, &report, what);
    }
    if (copy.take_closed && both[0].closed() && both[1].closed()) done.push_back(copy);
  }
  std::erase_if(copies_, [&](const Copy& copy) {
    return std::ranges::any_of(done, [&](const Copy& each) { return each.take.id == copy.take.id; });
  });
  for (const Copy& copy : done) {
    const media::MirrorReport::Both both = copy.take.mirror->read();
    const auto known = std::ranges::find_if(last_, [&](const Report& r) { return r.id() == copy.take.id; });
    if (known != last_.end()) describe_copies(copy.take, *known);
    for (std::size_t i = 0; i < both.size(); ++i) {
      if (!both[i].full || both[i].file.empty()) continue;
      // What fitted becomes a file, once the line has let go of it.
      const std::string root = (i == 0 ? copy.take.name : copy.take.second);
      const auto folder = roots_.folders().find(root.substr(0, root.find(':')));
      if (folder == roots_.folders().end()) continue;
      line_of(folder->first)->post(0, [this, path = folder->second, post = strand_.poster()] {
        post([this, path] { repair(path); });
      });
    }
  }
}

}  // namespace continuo::control
