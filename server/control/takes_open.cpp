// The files of takes that begin: their names, in the take folder or where they are named, and what becomes of unused
// ones.
#include <map>
#include <utility>

#include "server/control/take_order.hpp"
#include "server/control/takes.hpp"
#include "server/media/take_names.hpp"
#include "server/media/take_notes.hpp"

namespace continuo::control {
namespace {

struct Lines {
  std::shared_ptr<media::MirrorLine> first, second;
};

/// "takes:day/a.wav" at another root.
std::string at_root(const std::string& root, const std::string& name) { return root + name.substr(name.find(':')); }

/// "takes:day/a-{channel}.wav" -> "takes:day/a-2-{channel}.wav"
std::string numbered_name(const std::string& name, int n) {
  const std::size_t folder = name.find_last_of(":/") + 1;
  const std::size_t field = name.find("{channel}", folder);
  const std::size_t dot = name.rfind('.');
  std::size_t at = field != std::string::npos ? field : dot != std::string::npos && dot > folder ? dot : name.size();
  const bool joined = field != std::string::npos && field > folder && name[field - 1] == '-';
  if (joined) --at;
  return std::string(name).insert(at, (at == folder ? "" : "-") + std::to_string(n) + (at == folder ? "-" : ""));
}

/// What is in the folders that takes go to, read once for all that begin together.
class Folders {
 public:
  explicit Folders(const media::Roots& roots) : roots_(roots) {}
  media::TakenNames& of(const std::string& name) {
    const std::string folder = name.substr(0, name.find_last_of(":/") + 1);
    const auto found = taken_.find(folder);
    if (found != taken_.end()) return found->second;
    const auto place = roots_.find_folder(media::split_name(name).folder);
    return taken_.emplace(folder, media::TakenNames(place ? *place : std::filesystem::path())).first->second;
  }

 private:
  const media::Roots& roots_;
  std::map<std::string, media::TakenNames> taken_;
};

/// Disk thread. The order's own name, or the first free one that the template gives.
Result<Takes::Opened> open_one(const Takes::Order& order, const media::Roots& roots, const std::string& file_template,
                               double rate_hz, const media::MakeTakeFile& make, const Lines& lines,
                               const std::function<void(std::function<void()>)>& later, Folders& folders) {
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
  const bool counts = order.file.empty() || order.next_free_name;
  for (int n = 1;; ++n) {
    std::string name =
        order.file.empty() ? "takes:" + take_name(named_by, {order.node, order.session, n, -1}) + ending : order.file;
    if (!order.file.empty() && n > 1) name = numbered_name(name, n);
    if (!order.split) name = media::take_files(name, 0).front().generic_string();  // without its {channel}
    const bool again = counts && n < kTries;
    if (again && folders.of(name).contains(name.substr(name.find(':') + 1))) continue;
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
    for (const auto& file : opened.writer->files()) folders.of(name).add(file);
    return opened;
  }
}

}  // namespace

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
    Folders folders(roots);
    for (std::size_t i = 0; i < orders.size(); ++i) {
      auto one = open_one(
          orders[i], roots, file_template, rate_hz, make, lines[i],
          [&pool = pool_](std::function<void()> work) { pool.post_later(std::move(work)); }, folders);
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
    if (!order.file.empty() && !order.next_free_name) files.push_back(order.file);
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

}  // namespace continuo::control
