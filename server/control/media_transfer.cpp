#include "server/control/media_transfer.hpp"

#include <ctime>
#include <span>
#include <utility>

namespace continuo::control {

MediaUpload::MediaUpload(std::shared_ptr<DiskLines::Line> line, std::shared_ptr<media::Uploads> all,
                         std::shared_ptr<media::Uploads::Writer> writer)
    : line_(std::move(line)), all_(std::move(all)), writer_(std::move(writer)) {}

MediaUpload::~MediaUpload() {
  // Closed on the line, after what is under way; `all` is where the writer signs off.
  line_->post([all = all_, writer = std::move(writer_)]() mutable { writer.reset(); });
}

void MediaUpload::write(std::string data, Done done) {
  line_->post([writer = writer_, data = std::move(data), done = std::move(done)] {
    done(writer->write(std::as_bytes(std::span(data))));
  });
}

void MediaUpload::finish(Done done) {
  line_->post([writer = writer_, done = std::move(done)] { done(writer->finish()); });
}

struct MediaDownload::State {
  explicit State(std::shared_ptr<media::RangeReader> file) : reader(std::move(file)) {}

  using Message = std::shared_ptr<const v1::DownloadMediaResponse>;

  /// On the line: fills up what is read ahead.
  void work() {
    for (;;) {
      const auto message = produce();
      std::function<void()> ring;
      bool enough = false;
      {
        const std::lock_guard lock(mutex);
        if (message && *message) ready.push_back(*message);
        if (!message) end = Result<>(message.error());
        if (message && (*message)->has_end()) end = Result<>();
        enough = closed || end || ready.size() >= kAhead;
        if (enough) working = false;
        ring = std::exchange(wake, nullptr);
      }
      if (ring) ring();
      if (enough) return;
    }
  }

  Result<Message> produce() {
    auto message = std::make_shared<v1::DownloadMediaResponse>();
    if (!std::exchange(begun, true)) {
      message->mutable_header()->set_total_bytes(reader->total_bytes());
      message->mutable_header()->set_modified(utc_text(reader->modified_ns()));
      return Message(message);
    }
    auto data = reader->read();
    if (!data) return data.error();
    if (!data->empty()) {
      message->set_data(*std::move(data));
      return Message(message);
    }
    for (;;) {
      auto hash = reader->hash_on();
      if (!hash) return hash.error();
      const std::lock_guard lock(mutex);
      if (!*hash && !closed) continue;
      message->mutable_end()->set_sha256(hash->value_or(""));
      return Message(message);
    }
  }

  const std::shared_ptr<media::RangeReader> reader;  // the line's
  bool begun = false;                                // the line's

  std::mutex mutex;
  std::deque<Message> ready;
  std::optional<Result<>> end;
  std::function<void()> wake;
  bool working = false;
  bool closed = false;
};

MediaDownload::MediaDownload(std::shared_ptr<DiskLines::Line> line, std::shared_ptr<media::RangeReader> reader)
    : line_(std::move(line)), state_(std::make_shared<State>(std::move(reader))) {}

MediaDownload::~MediaDownload() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->closed = true;
    state_->wake = nullptr;
  }
  line_->post([state = state_] {});  // closed there
}

MediaDownload::Next MediaDownload::next(std::function<void()> wake) {
  const std::lock_guard lock(state_->mutex);
  Next next;
  if (!state_->ready.empty()) {
    next.message = std::move(state_->ready.front());
    state_->ready.pop_front();
  } else if (state_->end) {
    next.end = state_->end;
    return next;
  } else {
    state_->wake = std::move(wake);
  }
  if (!state_->end && !std::exchange(state_->working, true)) line_->post([state = state_] { state->work(); });
  return next;
}

std::string utc_text(std::int64_t ns_since_1970) {
  const std::time_t seconds = ns_since_1970 / 1'000'000'000;
  std::tm parts{};
  char text[40] = "";
  if (gmtime_r(&seconds, &parts) != nullptr) std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace continuo::control
