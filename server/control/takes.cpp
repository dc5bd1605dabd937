#include "server/control/takes.hpp"

#include <algorithm>
#include <utility>

#include "rt/nodes/recorder.hpp"
#include "server/base/log.hpp"
#include "server/control/prerolls.hpp"
#include "server/control/take_order.hpp"
#include "server/media/take_notes.hpp"

namespace continuo::control {
namespace {

struct Lines {
  std::shared_ptr<media::MirrorLine> first, second;
};

/// "takes:day/a.wav" at another root.
std::string at_root(const std::string& root, const std::string& name) { return root + name.substr(name.find(':')); }

/// Disk thread. The order's own name, or the first free one that the template gives.
Result<Takes::Opened> open_one(const Takes::Order& order, const media::Roots& roots, const std::string& file_template,
                               double rate_hz, const media::MakeTakeFile& make, const Lines& lines,
                               const std::function<void(std::function<void()>)>& later) {
  media::TakeRequest request;
  request.make = make;
  request.channels = order.channels;
  request.sample_rate_hz = rate_hz;
  request.format = order.format;
  request.limit = order.limit;
  request.split = order.split;
  request.container = order.container;
  request.part_frames = part_frames(order, rate_hz);
  request.description = order.node + (order.session.empty() ? "" : " of " + order.session);
  request.reference = media::new_take_reference();
  request.later = later;
  const auto placing = std::make_shared<Takes::Placing>();
  request.place = [placing](rt::FrameCount engine, rt::FrameCount timeline) {
    return placing->place(engine, timeline);
  };
  const std::string& named_by = order.file_template.empty() ? file_template : order.file_template;
  const char* const ending = order.container == media::Container::flac ? ".flac" : ".wav";
  constexpr int kTries = 10'000;
  for (int n = 1;; ++n) {
    std::string name =
        order.file.empty() ? "takes:" + take_name(named_by, {order.node, order.session, n, -1}) + ending : order.file;
    if (!order.split) name = media::take_files(name, 0).front().generic_string();  // without its {channel}
    const bool again = order.file.empty() && n < kTries;
    const auto path = roots.new_file(name);
    if (!path) {
      if (again && path.error().kind == ErrorKind::already_exists) continue;
      return path.error();
    }
    request.file = *path;
    Takes::Opened opened{order, name, nullptr, rate_hz, 0};
    opened.placing = placing;
    if (!order.second_root.empty()) {
      opened.second = at_root(order.second_root, name);
      opened.mirror = std::make_shared<media::MirrorReport>();
      const std::string folder = opened.second.substr(0, opened.second.find_last_of(":/") + 1);
      const auto second = [roots, folder](const std::filesystem::path& first) {
        return roots.new_file(folder + first.filename().string());
      };
      request.make = media::mirrored_files({make, second, lines.first, lines.second, opened.mirror, order.second_must});
    }
    auto writer = media::TakeWriter::open(request);
    if (!writer) {
      if (again && writer.error().kind == ErrorKind::already_exists) continue;
      return writer.error();
    }
    opened.writer = std::move(*writer);
    return opened;
  }
}

}  // namespace

media::TakePlace Takes::Placing::place(rt::FrameCount engine_frame, rt::FrameCount timeline_frame) const {
  const double later = static_cast<double>(engine_frame - utc_frame) / rate_hz;
  return {timeline_frame - latency_frames, utc_ns + static_cast<std::int64_t>(later * 1e9)};
}

Takes::Takes(Strand& strand, media::DiskPool& pool, const media::Roots& roots, std::string file_template, Hooks hooks,
             media::MakeTakeFile make)
    : strand_(strand),
      pool_(pool),
      roots_(roots),
      template_(std::move(file_template)),
      hooks_(std::move(hooks)),
      make_(std::move(make)),
      timer_(strand) {}

void Takes::open(std::vector<Order> orders, double rate_hz, std::function<void(Result<std::vector<Opened>>)> done) {
  std::vector<Lines> lines;
  for (const Order& order : orders) {
    lines.emplace_back();
    if (order.second_root.empty()) continue;
    const std::string first = order.file.empty() ? "takes" : order.file.substr(0, order.file.find(':'));
    lines.back() = {line_of(first), line_of(order.second_root)};
  }
  pool_.post([this, orders = std::move(orders), lines = std::move(lines), rate_hz, done = std::move(done),
              roots = roots_, file_template = template_, make = make_, post = strand_.poster()] {
    std::vector<Opened> opened;
    std::optional<Error> error;
    for (std::size_t i = 0; i < orders.size(); ++i) {
      auto one = open_one(orders[i], roots, file_template, rate_hz, make, lines[i],
                          [&pool = pool_](std::function<void()> work) { pool.post_later(std::move(work)); });
      if (!one) {
        error = one.error();
        break;
      }
      opened.push_back(std::move(*one));
    }
    post([this, opened = std::move(opened), error, done]() mutable {
      for (Opened& take : opened) take.id = next_id_++;
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
    const auto line = take.mirror ? line_of(take.order.second_root) : nullptr;
    pool_.add(take.writer, [line, mirror = take.mirror](const media::TakeResult& result) {
      std::error_code none;
      if (result.frames != 0) return;
      for (const std::filesystem::path& file : result.files) std::filesystem::remove(file, none);
      if (!line) return;
      line->post(0, [mirror] {
        std::error_code ignored;
        std::filesystem::remove(mirror->read()[1].file, ignored);
      });
    });
  }
}

void Takes::lend(Opened take, const session::CompiledRecorder& recorder, rt::FrameCount stop,
                 std::vector<rt::Action>& actions) {
  rt::Action action;
  action.kind = rt::Action::Kind::record_start;
  action.node = recorder.ref;
  if (placement_) *take.placing = placement_(recorder);
  take.writer->sink().stop_timeline_frame = stop;
  action.sink = &take.writer->sink();
  std::shared_ptr<media::Preroll> before;
  if (prerolls_ != nullptr) before = prerolls_->hand_over(recorder, take.rate_hz, actions);
  if (before) {
    before->begin_with(take.writer);
    before->sink().limit = take.order.limit;
    before->sink().stop_timeline_frame = stop;
    action.sink = &before->sink();
  }
  actions.push_back(action);
  log::info("take {}: {} channels of {}", take.name, take.order.channels, take.order.node);
  const auto on_strand = [this, writer = take.writer.get(), post = strand_.poster()](auto member) {
    return [this, writer, post, member](const media::TakeResult& result) {
      post([this, writer, member, result] { (this->*member)(writer, result); });
    };
  };
  pool_.add(take.writer, on_strand(&Takes::closed), on_strand(&Takes::failed));
  problems_.clear();
  cut_off_.erase(take.order.node);
  copy_of(take);
  running_.push_back({.take = std::move(take), .recorder = recorder.ref, .before = std::move(before)});
  if (!timer_.waiting()) timer_.after(kLook, [this] { look(); });
}

void Takes::home(const std::vector<rt::Action>& actions, const std::vector<std::unique_ptr<rt::Node>>& dropped) {
  const auto cut_off = [this](const rt::Sink* sink) {
    if (sink == nullptr) return;
    for (Running& running : running_) {
      if (&running.take.writer->sink() == sink) running.take.writer->abandon();
    }
    if (prerolls_ != nullptr) prerolls_->home(sink);
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
    const rt::Sink& sink = running.before ? running.before->sink() : running.take.writer->sink();
    const bool over = running.stopping || sink.finished.load(std::memory_order_acquire);
    if (!over) nodes.insert(running.take.order.node);
  }
  return nodes;
}

Takes::Ref Takes::ref(const Opened& take) {
  Ref all{take.id, {}};
  const std::string folder = take.name.substr(0, take.name.find_last_of(":/") + 1);
  for (const auto& file : take.writer->files()) all.files.push_back(folder + file.filename().string());
  return all;
}

std::set<std::string> Takes::cut_off() const {
  std::set<std::string> nodes;
  for (const auto& [node, take] : cut_off_) nodes.insert(node);
  return nodes;
}

std::vector<rt::Action> Takes::stop(const std::set<std::string>& nodes, std::vector<Ref>& stopped) {
  std::vector<rt::Action> actions;
  for (Running& running : running_) {
    if (running.stopping || !nodes.contains(running.take.order.node)) continue;
    running.stopping = true;
    rt::Action action;
    action.kind = rt::Action::Kind::record_stop;
    action.node = running.recorder;
    actions.push_back(action);
    stopped.push_back(ref(running.take));
  }
  std::erase_if(cut_off_, [&](const auto& cut) {
    if (!nodes.contains(cut.first)) return false;
    stopped.push_back(cut.second);
    return true;
  });
  return actions;
}

void Takes::abandon() {
  stop_repair_->store(true, std::memory_order_relaxed);
  for (Running& running : running_) {
    if (running.before)
      running.before->abandon();
    else if (!running.take.writer->sink().finished.load(std::memory_order_acquire))
      running.take.writer->abandon();
  }
}

}  // namespace continuo::control
