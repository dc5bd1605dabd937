#include "server/control/takes.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

#include "rt/nodes/recorder.hpp"
#include "server/base/log.hpp"

namespace continuo::control {
namespace {

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
}

/// Disk thread. The order's own name, or the first free one that the template gives.
Result<Takes::Opened> open_one(const Takes::Order& order, const media::Roots& roots, const std::string& file_template,
                               double rate_hz) {
  media::TakeRequest request;
  request.channels = order.channels;
  request.sample_rate_hz = rate_hz;
  request.format = order.format;
  request.limit = order.limit;
  constexpr int kTries = 1000;
  for (int n = 1;; ++n) {
    const std::string name =
        order.file.empty() ? "takes:" + take_name(file_template, order.node, n) + ".wav" : order.file;
    const bool again = order.file.empty() && n < kTries;
    const auto path = roots.new_file(name);
    if (!path) {
      if (again && path.error().kind == ErrorKind::already_exists) continue;
      return path.error();
    }
    request.file = *path;
    auto writer = media::TakeWriter::open(request);
    if (!writer) {
      if (again && writer.error().kind == ErrorKind::already_exists) continue;
      return writer.error();
    }
    return Takes::Opened{order, name, std::move(*writer)};
  }
}

}  // namespace

std::string take_name(const std::string& file_template, const std::string& node, int n) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  char date[16], time[16];
  std::strftime(date, sizeof date, "%Y%m%d", &parts);
  std::strftime(time, sizeof time, "%H%M%S", &parts);
  std::string name = file_template;
  if (n > 1 && name.find("{n}") == std::string::npos) name += "-{n}";
  replace_all(name, "{date}", date);
  replace_all(name, "{time}", time);
  replace_all(name, "{n}", std::to_string(n));
  std::string plain = node;
  std::ranges::replace(plain, '/', '_');
  replace_all(name, "{node}", plain);
  for (char& c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == ':' || c == '\\') c = '_';
  }
  return name;
}

Takes::Takes(Strand& strand, media::DiskPool& pool, const media::Roots& roots, std::string file_template,
             std::function<void()> ended)
    : strand_(strand), pool_(pool), roots_(roots), template_(std::move(file_template)), ended_(std::move(ended)) {}

void Takes::open(std::vector<Order> orders, double rate_hz, std::function<void(Result<std::vector<Opened>>)> done) {
  pool_.post([this, orders = std::move(orders), rate_hz, done = std::move(done), roots = roots_,
              file_template = template_, post = strand_.poster()] {
    std::vector<Opened> opened;
    std::optional<Error> error;
    for (const Order& order : orders) {
      auto one = open_one(order, roots, file_template, rate_hz);
      if (!one) {
        error = one.error();
        break;
      }
      opened.push_back(std::move(*one));
    }
    post([this, opened = std::move(opened), error, done] {
      if (!error) return done(opened);
      discard(opened);
      done(*error);
    });
  });
}

void Takes::check(const std::vector<Order>& orders, std::function<void(Result<>)> done) {
  std::vector<std::string> files;
  for (const Order& order : orders) {
    if (!order.file.empty()) files.push_back(order.file);
  }
  if (files.empty()) return done({});
  pool_.post([files = std::move(files), done = std::move(done), roots = roots_, post = strand_.poster()] {
    Result<> result;
    for (const std::string& file : files) {
      if (const auto path = roots.new_file(file); !path && result) result = path.error();
    }
    post([done, result] { done(result); });
  });
}

void Takes::discard(std::vector<Opened> takes) {
  for (Opened& take : takes) {
    take.writer->abandon();
    pool_.add(take.writer, [](const media::TakeResult& result) {
      std::error_code none;
      if (result.frames == 0) std::filesystem::remove(result.file, none);
    });
  }
}

rt::Action Takes::lend(Opened take, const session::CompiledRecorder& recorder) {
  rt::Action action;
  action.kind = rt::Action::Kind::record_start;
  action.node = recorder.ref;
  action.sink = &take.writer->sink();
  log::info("take {}: {} channels of {}", take.name, take.order.channels, take.order.node);
  pool_.add(take.writer, [this, writer = take.writer.get(), post = strand_.poster()](const media::TakeResult& result) {
    post([this, writer, result] { closed(writer, result); });
  });
  running_.push_back({std::move(take), recorder.ref, false});
  return action;
}

void Takes::home(const std::vector<rt::Action>& actions, const std::vector<std::unique_ptr<rt::Node>>& dropped) {
  const auto cut_off = [this](const rt::Sink* sink) {
    if (sink == nullptr) return;
    for (Running& running : running_) {
      if (&running.take.writer->sink() == sink) running.take.writer->abandon();
    }
  };
  for (const rt::Action& action : actions) {
    if (action.kind == rt::Action::Kind::record_start) cut_off(action.sink);
  }
  for (const auto& node : dropped) {
    if (const auto* recorder = dynamic_cast<const rt::RecorderNode*>(node.get())) cut_off(recorder->audio_.sink);
  }
}

bool Takes::recording(const std::string& node) const { return recording().contains(node); }

std::set<std::string> Takes::recording() const {
  std::set<std::string> nodes;
  for (const Running& running : running_) {
    const bool over = running.stopping || running.take.writer->sink().finished.load(std::memory_order_acquire);
    if (!over) nodes.insert(running.take.order.node);
  }
  return nodes;
}

std::vector<rt::Action> Takes::stop(const std::set<std::string>& nodes, std::vector<std::string>& names) {
  std::vector<rt::Action> actions;
  for (Running& running : running_) {
    if (running.stopping || !nodes.contains(running.take.order.node)) continue;
    running.stopping = true;
    rt::Action action;
    action.kind = rt::Action::Kind::record_stop;
    action.node = running.recorder;
    actions.push_back(action);
    names.push_back(running.take.name);
  }
  return actions;
}

void Takes::abandon() {
  for (Running& running : running_) {
    if (!running.take.writer->sink().finished.load(std::memory_order_acquire)) running.take.writer->abandon();
  }
}

void Takes::closed(const media::TakeWriter* writer, const media::TakeResult& result) {
  const auto found = std::ranges::find_if(running_, [&](const Running& r) { return r.take.writer.get() == writer; });
  if (found == running_.end()) return;
  v1::GetStatusResponse::Take take;
  describe(found->take, take);
  take.set_recording(false);
  take.set_frames(result.frames);
  take.set_lost_frames(result.lost_frames);
  take.set_error(result.error);
  if (result.error.empty())
    log::info("take {}: {} frames, {} lost", take.file(), result.frames, result.lost_frames);
  else
    log::error("take {}: {}", take.file(), result.error);
  last_.push_back(std::move(take));
  if (last_.size() > kRemembered) last_.pop_front();
  running_.erase(found);
  ended_();
}

void Takes::describe(const Opened& take, v1::GetStatusResponse::Take& out) const {
  const rt::Sink& sink = take.writer->sink();
  out.set_file(take.name);
  out.set_node(take.order.node);
  out.set_channels(take.order.channels);
  out.set_recording(true);
  if (!sink.started.load(std::memory_order_acquire)) return;
  out.set_frames(sink.frames_taken.load(std::memory_order_relaxed));
  out.set_lost_frames(sink.lost_frames.load(std::memory_order_relaxed));
  out.set_start_engine_frame(sink.start_engine_frame.load(std::memory_order_relaxed));
  out.set_start_timeline_frame(sink.start_timeline_frame.load(std::memory_order_relaxed));
}

void Takes::report(google::protobuf::RepeatedPtrField<v1::GetStatusResponse::Take>& out) const {
  for (const auto& take : last_) *out.Add() = take;
  for (const Running& running : running_) describe(running.take, *out.Add());
}

}  // namespace continuo::control
