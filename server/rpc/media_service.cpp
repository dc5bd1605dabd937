#include "continuo/v1/media.grpc.pb.h"
#include "server/control/media_library.hpp"
#include "server/rpc/media_upload.hpp"
#include "server/rpc/reply.hpp"
#include "server/rpc/services.hpp"
#include "server/rpc/strict.hpp"
#include "server/rpc/unary.hpp"

namespace continuo::rpc {
namespace {

/// What the library reads ahead, as a stream wants it. It is the client's turn from each message to the next.
class DownloadSource final : public StreamSource<v1::DownloadMediaResponse> {
 public:
  using Turn = control::IdleTransfers::Turn;
  DownloadSource(std::shared_ptr<control::MediaDownload> download, std::shared_ptr<Turn> turn)
      : download_(std::move(download)), turn_(std::move(turn)) {}

  Next next(std::function<void()> wake) override {
    control::MediaDownload::Next found = download_->next(std::move(wake));
    Next out{std::move(found.message), std::nullopt};
    if (out.message)
      turn_->client();
    else
      turn_->ours();
    if (found.end) out.end = *found.end ? grpc::Status::OK : to_status(found.end->error());
    return out;
  }

 private:
  std::shared_ptr<control::MediaDownload> download_;
  std::shared_ptr<Turn> turn_;
};

/// Refuses from its destructor, where the daemon ends before the download has begun.
struct Opening {
  std::shared_ptr<Stream<v1::DownloadMediaResponse>> stream;
  explicit Opening(std::shared_ptr<Stream<v1::DownloadMediaResponse>> s) : stream(std::move(s)) {}
  Opening(const Opening&) = delete;
  Opening& operator=(const Opening&) = delete;
  ~Opening() {
    if (stream) stream->refuse(stopping_status());
  }
};

class MediaService final : public v1::MediaService::CallbackService {
 public:
  MediaService(control::Engine& engine, Door& door) : media_(engine.media()), engine_(engine), door_(door) {}

  grpc::ServerUnaryReactor* ListMedia(grpc::CallbackServerContext* context, const v1::ListMediaRequest* request,
                                      v1::ListMediaResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (may(*context, reactor, "continuo.v1.MediaService.ListMedia", *request))
      media_.list(*request, reply_to(reactor, response));
    return reactor;
  }

  grpc::ServerUnaryReactor* ProbeMedia(grpc::CallbackServerContext* context, const v1::ProbeMediaRequest* request,
                                       v1::ProbeMediaResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (may(*context, reactor, "continuo.v1.MediaService.ProbeMedia", *request))
      media_.probe(*request, reply_to(reactor, response));
    return reactor;
  }

  grpc::ServerUnaryReactor* GetUpload(grpc::CallbackServerContext* context, const v1::GetUploadRequest* request,
                                      v1::GetUploadResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (may(*context, reactor, "continuo.v1.MediaService.GetUpload", *request))
      media_.get_upload(*request, reply_to(reactor, response));
    return reactor;
  }

  grpc::ServerReadReactor<v1::UploadMediaRequest>* UploadMedia(grpc::CallbackServerContext* context,
                                                               v1::UploadMediaResponse* response) override {
    return receive_media(context, response, engine_, door_);
  }

  grpc::ServerWriteReactor<v1::DownloadMediaResponse>* DownloadMedia(grpc::CallbackServerContext* context,
                                                                     const v1::DownloadMediaRequest* request) override {
    auto [stream, allowed, caller] =
        enter_stream<v1::DownloadMediaResponse>(door_, *context, "continuo.v1.MediaService.DownloadMedia");
    grpc::ServerWriteReactor<v1::DownloadMediaResponse>* const reactor = stream.get();
    if (!allowed) return reactor;
    if (const Result<> good = check_strict(*request); !good) {
      stream->refuse(to_status(good.error()));
      return reactor;
    }
    auto opening = std::make_shared<Opening>(stream);
    auto turn = media_.idle().add([weak = std::weak_ptr(stream), context] {
      if (const auto waiting = weak.lock()) waiting->give_up(context);
    });
    media_.download(*request,
                    [opening, turn = std::move(turn)](Result<std::shared_ptr<control::MediaDownload>> download) {
                      const auto begun = std::exchange(opening->stream, nullptr);
                      if (!download) return begun->refuse(to_status(download.error()));
                      begun->begin(std::make_unique<DownloadSource>(*std::move(download), turn));
                    });
    return reactor;
  }

  grpc::ServerUnaryReactor* DeleteMedia(grpc::CallbackServerContext* context, const v1::DeleteMediaRequest* request,
                                        v1::DeleteMediaResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (may(*context, reactor, "continuo.v1.MediaService.DeleteMedia", *request))
      media_.remove(*request, reply_to(reactor, response));
    return reactor;
  }

 private:
  template <class Request>
  [[nodiscard]] bool may(const grpc::ServerContextBase& context, grpc::ServerUnaryReactor* reactor,
                         std::string_view method, const Request& request) const {
    if (!enter(door_, context, reactor, method)) return false;
    const Result<> good = check_strict(request);
    if (!good) reactor->Finish(to_status(good.error()));
    return static_cast<bool>(good);
  }

  control::MediaLibrary& media_;
  control::Engine& engine_;
  Door& door_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_media_service(control::Engine& engine, Door& door) {
  return std::make_unique<MediaService>(engine, door);
}

}  // namespace continuo::rpc
