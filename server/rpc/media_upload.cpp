#include "server/rpc/media_upload.hpp"

#include <memory>
#include <mutex>
#include <utility>

#include "server/control/media_library.hpp"
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
  Receiver(grpc::CallbackServerContext* context, v1::UploadMediaResponse* response, control::Engine& engine)
      : context_(context), response_(response), engine_(engine) {}

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
    if (Result<> good = check_strict(message_); !good) return finish(to_status(good.error()));
    if (message_.has_begin() == begun_) return finish(to_status(wrong_order()));
    if (!std::exchange(begun_, true)) return begin();
    const std::size_t size = message_.data().size();
    if (size == 0 || size > control::MediaLibrary::kMaxData)
      return finish(to_status(make_error(ErrorKind::invalid_argument, "BAD_DATA_SIZE", "data",
                                         "a message's data has 1 byte to 1 MiB, not " + std::to_string(size))));
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
      receiver->read();
    });
  }

  void go_on(const Result<>& done) {
    if (!done) return finish(to_status(done.error()));
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
    bool idle = false;
    {
      const std::lock_guard lock(mutex_);
      starting_ = false;
      idle = std::exchange(idle_, false);
    }
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
    finish(to_status(idle_error(engine_.media().idle().limit(), "upload", "sent nothing: what came is held")));
  }

  void end() {
    if (!begun_) return finish(to_status(wrong_order()));
    with_upload([&](control::MediaUpload& upload) {
      upload.finish([weak = weak_from_this()](const Result<>& done) {
        const auto receiver = weak.lock();
        if (!receiver) return;
        if (!done) return receiver->finish(to_status(done.error()));
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

  /// The first one counts. What came of an upload that is not finished is held from here on.
  void finish(const grpc::Status& status) {
    std::shared_ptr<control::MediaUpload> upload;
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(finished_, true)) return;
      upload = std::exchange(upload_, nullptr);
    }
    upload.reset();
    if (status.ok()) {
      response_->set_path(path_);
      response_->set_bytes(bytes_);
    }
    Finish(status);
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

  std::mutex mutex_;
  std::shared_ptr<control::MediaUpload> upload_;
  bool reading_ = false;
  bool starting_ = false;  // the read
  bool idle_ = false;      // and meanwhile it took too long
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
  auto receiver = std::make_shared<Receiver>(context, response, engine);
  receiver->start(door.enter(*context, "continuo.v1.MediaService.UploadMedia").status);
  return receiver.get();
}

}  // namespace continuo::rpc
