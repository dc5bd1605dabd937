#include "server/rpc/media_upload.hpp"

#include <memory>
#include <mutex>
#include <utility>

#include "server/control/history.hpp"
#include "server/control/job_desk.hpp"
#include "server/control/media_library.hpp"
#include "server/rpc/agent.hpp"
#include "server/rpc/convert.hpp"
#include "server/rpc/fed_call.hpp"
#include "server/rpc/strict.hpp"

namespace continuo::rpc {
namespace {

/// UploadMedia: [rpc] one message -> [disk line] write it -> [rpc] read the next: a piece at a time, so a disk that is
/// slower than the client slows the client. A disk that hangs finds it gone after a cancel, or finds it finished.
class Receiver final : public FedCall<v1::UploadMediaRequest> {
 public:
  Receiver(grpc::CallbackServerContext* context, v1::UploadMediaResponse* response, control::Engine& engine,
           std::string identity)
      : context_(context), response_(response), engine_(engine), identity_(std::move(identity)) {}

  void start(const grpc::Status& status) {
    own();
    if (!status.ok()) return finish(status);
    watch_idle(engine_.media().idle(), "upload", "sent nothing: what came is held");
    read();
  }

  void OnReadDone(bool ok) override {
    const auto keep = shared_from_this();
    if (!is_read()) return;
    if (!ok) return context_->IsCancelled() ? finish(grpc::Status::CANCELLED) : commit();
    if (Result<> good = check_strict(message()); !good) return finish(good.error());
    if (message().has_begin() == begun_) return finish(wrong_order());
    if (!std::exchange(begun_, true)) return begin();
    const std::size_t size = message().data().size();
    if (size == 0 || size > control::MediaLibrary::kMaxData)
      return finish(make_error(ErrorKind::invalid_argument, "BAD_DATA_SIZE", "data",
                               "a message's data has 1 byte to 1 MiB, not " + std::to_string(size)));
    written_ = size;
    with_upload([&](control::MediaUpload& upload) {
      upload.write(std::move(*message().mutable_data()), [weak = to_weak()](const Result<>& done) {
        if (const auto receiver = weak.lock()) receiver->go_on(done);
      });
    });
  }

  void OnCancel() override {
    const auto keep = shared_from_this();
    if (reading()) return;  // its OnReadDone follows, and ends the call
    finish(grpc::Status::CANCELLED);
  }

 private:
  [[nodiscard]] Error wrong_order() const {
    return make_error(ErrorKind::invalid_argument, "BAD_ORDER", begun_ ? "begin" : "data",
                      "an upload is one begin and then its data");
  }

  void begin() {
    path_ = message().begin().path();
    bytes_ = message().begin().total_bytes();
    // Where the daemon ends first, the answer is dropped, and this with it.
    auto guard = std::make_shared<Letting>(to_weak());
    engine_.media().upload(message().begin(), [guard](Result<std::shared_ptr<control::MediaUpload>> upload) {
      const auto receiver = std::exchange(guard->receiver, {}).lock();
      if (!receiver) return;
      if (!upload) return receiver->finish(upload.error());
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
    received_ = message().begin().start();
    auto job = engine_.jobs().begin(v1::Job::KIND_UPLOAD, path_, control::origin_of(agent_of(*context_), identity_),
                                    [weak = to_weak()] {
                                      if (const auto receiver = weak.lock()) receiver->end(control::cancelled_error());
                                    });
    const std::lock_guard lock(mutex_);
    job_ = job;
    if (finished_) job.end(outcome_of(grpc::Status::CANCELLED, nullptr));  // the client was quicker
  }

  void go_on(const Result<>& done) {
    if (!done) return finish(done.error());
    received_ += static_cast<std::int64_t>(written_);
    if (bytes_ > 0) job_.progress(static_cast<double>(received_) / static_cast<double>(bytes_));
    read();
  }

  void commit() {
    if (!begun_) return finish(wrong_order());
    if (!job_.try_commit()) return finish(control::cancelled_error());
    with_upload([&](control::MediaUpload& upload) {
      upload.finish([weak = to_weak()](const Result<>& done) {
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

  /// What came of an upload that is not finished is held from here on.
  void ended(const grpc::Status& status, const Error* error) override {
    std::shared_ptr<control::MediaUpload> upload;
    control::JobTicket job;
    {
      const std::lock_guard lock(mutex_);
      upload = std::exchange(upload_, nullptr);
      job = job_;
    }
    upload.reset();
    job.end(outcome_of(status, error));
    if (!status.ok()) return;
    response_->set_path(path_);
    response_->set_bytes(bytes_);
  }

  [[nodiscard]] std::weak_ptr<Receiver> to_weak() { return std::static_pointer_cast<Receiver>(shared_from_this()); }

  [[nodiscard]] control::JobTicket::Outcome outcome_of(const grpc::Status& status, const Error* error) const {
    if (error != nullptr) return *error;
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
  bool begun_ = false;
  std::string path_;
  std::int64_t bytes_ = 0;
  std::int64_t received_ = 0;
  std::size_t written_ = 0;  // by what is under way
  const std::string identity_;

  std::shared_ptr<control::MediaUpload> upload_;  // under the mutex, as the next
  control::JobTicket job_;                        // written once, before the first data is read
};

}  // namespace

grpc::ServerReadReactor<v1::UploadMediaRequest>* receive_media(grpc::CallbackServerContext* context,
                                                               v1::UploadMediaResponse* response,
                                                               control::Engine& engine, Door& door) {
  const Door::Pass pass = door.enter(*context, "continuo.v1.MediaService.UploadMedia");
  auto receiver = std::make_shared<Receiver>(context, response, engine, pass.caller.name);
  receiver->start(pass.status);
  return receiver.get();
}

}  // namespace continuo::rpc
