#include "server/control/session_saver.hpp"

#include <utility>

#include "server/base/log.hpp"
#include "server/control/uid_source.hpp"
#include "server/session/session_file.hpp"

namespace continuo::control {

SessionSaver::SessionSaver(Strand& strand, Worker& worker, const Graph& graph, const MediaCache& media,
                           const std::filesystem::path& folder, std::function<void(std::string)> failed)
    : strand_(strand),
      worker_(worker),
      graph_(graph),
      media_(media),
      folder_(folder),
      failed_(std::move(failed)),
      timer_(strand) {}

void SessionSaver::touch() {
  if (!timer_.waiting()) timer_.after(kDelay, [this] { save([] {}); });
}

void SessionSaver::save(std::function<void()> done) {
  timer_.cancel();
  worker_.post([this, document = graph_.document(), base = media_.base(), folder = folder_, done = std::move(done),
                post = strand_.poster()] {
    std::string error;
    const bool saved = write_whole(folder / "last-session.base", base + "\n", error) &&
                       write_whole(folder / "last-session.json", session::print_session(*document), error);
    if (!saved) log::warning("the session is not saved: {}", error);
    post([this, error, done] {
      failed_(error.empty() ? "" : "the session is not saved: " + error);
      done();
    });
  });
}

}  // namespace continuo::control
