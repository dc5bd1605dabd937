#include "server/control/session_saver.hpp"

#include <utility>

#include "server/base/log.hpp"
#include "server/control/state_file.hpp"
#include "server/control/uid_source.hpp"
#include "server/session/session_file.hpp"

namespace continuo::control {
namespace {

constexpr const char* kIds = "request-ids";

}  // namespace

SessionSaver::SessionSaver(Strand& strand, Worker& worker, const Graph& graph, const MediaCache& media,
                           const std::filesystem::path& folder, std::function<void(std::string)> failed, Ids ids)
    : strand_(strand),
      worker_(worker),
      graph_(graph),
      media_(media),
      folder_(folder),
      failed_(std::move(failed)),
      ids_(std::move(ids)),
      timer_(strand) {}

void SessionSaver::read_ids(std::function<void()> then) {
  restoring_ = true;
  worker_.post([this, folder = folder_, then = std::move(then), post = strand_.poster()] {
    RequestIds found;
    const auto bytes = read_state(folder / kIds, 2 * RequestIds::kMaxBytes);
    if (!bytes || *bytes) {
      Result<RequestIds> read = bytes ? parse_request_ids(**bytes) : bytes.error();
      if (read) {
        found = std::move(*read);
      } else {
        const std::string name = set_aside(folder, kIds, "");
        log::warning("transactions of before this start are not known by their request ids: {}; kept as {}",
                     read.error().message, name);
      }
    }
    post([this, found = std::move(found), then]() mutable {
      found_ = std::move(found);
      then();
    });
  });
}

std::vector<KeptRequest> SessionSaver::restored(const std::string& sha256) {
  restoring_ = false;
  worker_.post([on_disk = on_disk_, sha256] { *on_disk = {sha256, 0}; });  // the worker reads and writes it
  return std::exchange(found_, {}).counting(sha256);
}

void SessionSaver::touch() {
  changed_ = true;
  touch_ids();
}

void SessionSaver::touch_ids() {
  if (timer_.waiting()) return;
  timer_.after(kDelay, [this] {
    // What an earlier start left is not written over before it is known what of it counts.
    if (restoring_) return touch_ids();
    write(changed_, [] {});
  });
}

void SessionSaver::save(std::function<void()> done) { write(true, std::move(done)); }

/// A disk that was full may have room again before anybody edits again.
void SessionSaver::try_again() {
  changed_ = true;
  if (!timer_.waiting()) timer_.after(kAgain, [this] { write(true, [] {}); });
}

void SessionSaver::write(bool session, std::function<void()> done) {
  timer_.cancel();
  changed_ = false;
  worker_.post([this, session, document = graph_.document(), stand = graph_.stand(), base = media_.base(),
                ids = ids_ ? ids_() : std::vector<KeptRequest>(), on_disk = on_disk_, folder = folder_,
                done = std::move(done), post = strand_.poster()]() mutable {
    std::string error;
    const std::string text = session ? session::print_session(*document) : std::string();
    RequestIds all{*on_disk, session ? SavedText{sha256_of(text), stand} : *on_disk, std::move(ids)};
    const bool known = write_whole(folder / kIds, print_request_ids(all), error);
    if (!known) log::warning("the request ids are not saved: {}", std::exchange(error, {}));
    const bool saved = !session || (write_whole(folder / "last-session.base", base + "\n", error) &&
                                    write_whole(folder / "last-session.json", text, error));
    if (!saved) log::warning("the session is not saved: {}", error);
    if (saved) *on_disk = all.next;
    post([this, session, error, done] {
      if (session) failed_(error.empty() ? "" : "the session is not saved: " + error);
      if (session && !error.empty()) try_again();
      done();
    });
  });
}

}  // namespace continuo::control
