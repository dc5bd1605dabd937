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
                               double rate_hz, const media::MakeTakeFile& make) {
  media::TakeRequest request;
  request.make = make;
  request.channels = order.channels;
  request.sample_rate_hz = rate_hz;
  request.format = order.format;
  request.limit = order.limit;
  request.split = order.split;
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
    return Takes::Opened{order, name, std::move(*writer), rate_hz};
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
  pool_.post([this, orders = std::move(orders), rate_hz, done = std::move(done), roots = roots_,
              file_template = template_, make = make_, post = strand_.poster()] {
    std::vector<Opened> opened;
    std::optional<Error> error;
    for (const Order& order : orders) {
      auto one = open_one(order, roots, file_template, rate_hz, make);
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
  const auto on_strand = [this, writer = take.writer.get(), post = strand_.poster()](auto member) {
    return [this, writer, post, member](const media::TakeResult& result) {
      post([this, writer, member, result] { (this->*member)(writer, result); });
    };
  };
  pool_.add(take.writer, on_strand(&Takes::closed), on_strand(&Takes::failed));
  problems_.clear();
  cut_off_.erase(take.order.node);
  running_.push_back({.take = std::move(take), .recorder = recorder.ref});
  if (!timer_.waiting()) timer_.after(kLook, [this] { look(); });
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

Takes::Ref Takes::ref(const Opened& take) {
  Ref all{take.id, {}};
  const std::size_t folder = take.name.find(':') + 1;
  for (const auto& file : media::take_files(take.name.substr(folder), take.order.split ? take.order.channels : 0))
    all.files.push_back(take.name.substr(0, folder) + file.generic_string());
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
  for (Running& running : running_) {
    if (!running.take.writer->sink().finished.load(std::memory_order_acquire)) running.take.writer->abandon();
  }
}

}  // namespace continuo::control
