#include "server/rpc/media_upload.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "server/control/history.hpp"
#include "server/control/job_desk.hpp"
#include "server/control/media_library.hpp"
#include "server/rpc/agent.hpp"
#include "server/rpc/convert.hpp"
#include "server/rpc/strict.hpp"

namespace continuo::rpc {
namespace {

/// UploadMedia: [rpc] one message -> [disk line] write it -> [rpc] read the next: a piece at a time, so a disk that is
/// slower than the client slows the client. It owns itself until gRPC has let go: a disk that hangs finds it gone after
/// a cancel, or finds it finished.
class Receiver final : public grpc::ServerReadReactor<v1::UploadMediaRequest>,
                       public std::enable_shared_from_this<Receiver> {
 public:
  Receiver(grpc::CallbackServerContext* context, v1::UploadMediaResponse* response, control::Engine& engine,
           std::string identity)
      : context_(context), response_(response), engine_(engine), identity_(std::move(identity)) {}

  void start(const grpc::Status& status) {
    self_ = shared_from_this();
    if (!status.ok()) return finish(status);
    turn_ = engine_.media().idle().add([weak = weak_from_this()] {
      if (const auto receiver = weak.lock()) receiver->end_idle();
    });
    read();
  }

  void OnReadDone(bool ok) override {
    const std::shared_ptr<Receiver> keep = shared_from_this();
    {
      const std::lock_guard lock(mutex_);
      reading_ = false;
    }
    turn_->ours();
    if (!ok) return context_->IsCancelled() ? finish(grpc::Status::CANCELLED) : end();
    if (Result<> good = check_strict(message_); !good) return finish(good.error());
    if (message_.has_begin() == begun_) return finish(wrong_order());
    if (!std::exchange(begun_, true)) return begin();
    const std::size_t size = message_.data().size();
    if (size == 0 || size > control::MediaLibrary::kMaxData)
      return finish(make_error(ErrorKind::invalid_argument, "BAD_DATA_SIZE", "data",
                               "a message's data has 1 byte to 1 MiB, not " + std::to_string(size)));
    written_ = size;
    with_upload([&](control::MediaUpload& upload) {
      upload.write(std::move(*message_.mutable_data()), [weak = weak_from_this()](const Result<>& done) {
        if (const auto receiver = weak.lock()) receiver->go_on(done);
      });
    });
  }

  void OnCancel() override {
    const std::shared_ptr<Receiver> keep = shared_from_this();
    {
      const std::lock_guard lock(mutex_);
      if (reading_) return;  // its OnReadDone follows, and ends the call
    }
    finish(grpc::Status::CANCELLED);
  }

  void OnDone() override {
    const std::shared_ptr<Receiver> self = std::exchange(self_, nullptr);
    const std::lock_guard lock(mutex_);
    upload_.reset();
  }

 private:
  [[nodiscard]] Error wrong_order() const {
    return make_error(ErrorKind::invalid_argument, "BAD_ORDER", begun_ ? "begin" : "data",
                      "an upload is one begin and then its data");
  }

  void begin() {
    path_ = message_.begin().path();
    bytes_ = message_.begin().total_bytes();
    // Where the daemon ends first, the answer is dropped, and this with it.
    auto guard = std::make_shared<Letting>(weak_from_this());
    engine_.media().upload(message_.begin(), [guard](Result<std::shared_ptr<control::MediaUpload>> upload) {
      const auto receiver = std::exchange(guard->receiver, {}).lock();
      if (!receiver) return;
      if (!upload) return receiver->finish(to_status(upload.error()));
      {
        const std::lock_guard lock(receiver->mutex_);
        if (receiver->finished_) return;
        receiver->upload_ = *std::move(upload);
      }
      receiver->begin_job();
      receiver->read();
    });
  }

  void begin_job() {
    received_ = message_.begin().start();
    auto job = engine_.jobs().begin(v1::Job::KIND_UPLOAD, path_, control::origin_of(agent_of(*context_), identity_),
                                    [weak = weak_from_this()] {
                                      if (const auto receiver = weak.lock()) receiver->end_cancelled();
                                    });
    const std::lock_guard lock(mutex_);
    job_ = job;
    if (finished_) job.end(outcome_of(grpc::Status::CANCELLED, {}));  // the client was quicker
  }

  /// Somebody else ended its job. What came is held.
  void end_cancelled() {
    {
      const std::lock_guard lock(mutex_);
      if (finished_) return;
      cancelled_ = starting_;  // whoever starts the read ends it then
      if (starting_) return;
    }
    finish(control::cancelled_error());
  }

  void go_on(const Result<>& done) {
    if (!done) return finish(done.error());
    received_ += static_cast<std::int64_t>(written_);
    if (bytes_ > 0) job_.progress(static_cast<double>(received_) / static_cast<double>(bytes_));
    read();
  }

  void read() {
    {
      const std::lock_guard lock(mutex_);
      if (finished_) return;
      reading_ = starting_ = true;
    }
    turn_->client();
    StartRead(&message_);  // outside the lock: gRPC may call back from inside
    bool idle = false, cancelled = false;
    {
      const std::lock_guard lock(mutex_);
      starting_ = false;
      idle = std::exchange(idle_, false);
      cancelled = std::exchange(cancelled_, false);
    }
    if (cancelled) return end_cancelled();
    if (idle) end_idle();
  }

  /// The client feeds nothing. What came is held; the read that waits ends with the call.
  void end_idle() {
    {
      const std::lock_guard lock(mutex_);
      if (finished_ || !reading_) return;  // it came after all
      idle_ = starting_;                   // a finished call must not be read: whoever starts the read ends it then
      if (starting_) return;
    }
    finish(idle_error(engine_.media().idle().limit(), "upload", "sent nothing: what came is held"));
  }

  void end() {
    if (!begun_) return finish(wrong_order());
    if (!job_.try_commit()) return finish(control::cancelled_error());
    with_upload([&](control::MediaUpload& upload) {
      upload.finish([weak = weak_from_this()](const Result<>& done) {
        const auto receiver = weak.lock();
        if (!receiver) return;
        if (!done) return receiver->finish(done.error());
        receiver->finish(grpc::Status::OK);
      });
    });
  }

  template <class Use>
  void with_upload(Use&& use) {
    std::shared_ptr<control::MediaUpload> upload;
    {
      const std::lock_guard lock(mutex_);
      upload = upload_;
    }
    if (upload) use(*upload);
  }

  void finish(const Error& error) { finish(to_status(error), error); }
  /// The first one counts. What came of an upload that is not finished is held from here on.
  void finish(const grpc::Status& status, const std::optional<Error>& error = {}) {
    std::shared_ptr<control::MediaUpload> upload;
    control::JobTicket job;
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(finished_, true)) return;
      upload = std::exchange(upload_, nullptr);
      job = job_;
    }
    upload.reset();
    job.end(outcome_of(status, error));
    if (status.ok()) {
      response_->set_path(path_);
      response_->set_bytes(bytes_);
    }
    Finish(status);
  }

  [[nodiscard]] control::JobTicket::Outcome outcome_of(const grpc::Status& status,
                                                       const std::optional<Error>& error) const {
    if (error) return *error;
    if (!status.ok())  // by its own client, or by the daemon's end
      return make_error(ErrorKind::aborted, "CANCELLED", "", "its client went away: what came is held");
    v1::Job done;
    done.set_bytes(bytes_);
    return done;
  }

  struct Letting {
    std::weak_ptr<Receiver> receiver;
    explicit Letting(std::weak_ptr<Receiver> r) : receiver(std::move(r)) {}
    Letting(const Letting&) = delete;
    Letting& operator=(const Letting&) = delete;
    ~Letting() {
      if (const auto left = receiver.lock()) left->finish(stopping_status());
    }
  };

  grpc::CallbackServerContext* context_;
  v1::UploadMediaResponse* response_;
  control::Engine& engine_;
  v1::UploadMediaRequest message_;
  bool begun_ = false;
  std::string path_;
  std::int64_t bytes_ = 0;
  std::int64_t received_ = 0;
  std::size_t written_ = 0;  // by what is under way
  const std::string identity_;

  std::mutex mutex_;
  std::shared_ptr<control::MediaUpload> upload_;
  bool reading_ = false;
  bool starting_ = false;   // the read
  bool idle_ = false;       // and meanwhile it took too long
  bool cancelled_ = false;  // and meanwhile its job was
  control::JobTicket job_;  // written once, before the first data is read
  std::shared_ptr<control::IdleTransfers::Turn> turn_;
  bool finished_ = false;
  std::shared_ptr<Receiver> self_;
};

}  // namespace

Error idle_error(std::chrono::steady_clock::duration limit, std::string_view what, std::string_view happened) {
  return make_error(ErrorKind::deadline_exceeded, "TRANSFER_IDLE", "",
                    "the " + std::string(what) + "'s client has for " +
                        std::to_string(std::chrono::duration_cast<std::chrono::seconds>(limit).count()) + " s " +
                        std::string(happened));
}

grpc::ServerReadReactor<v1::UploadMediaRequest>* receive_media(grpc::CallbackServerContext* context,
                                                               v1::UploadMediaResponse* response,
                                                               control::Engine& engine, Door& door) {
  const Door::Pass pass = door.enter(*context, "continuo.v1.MediaService.UploadMedia");
  auto receiver = std::make_shared<Receiver>(context, response, engine, pass.caller.name);
  receiver->start(pass.status);
  return receiver.get();
}

}  // namespace continuo::rpc
