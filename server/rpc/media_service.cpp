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

class MediaService final : public v1::MediaService::CallbackService {
 public:
  MediaService(control::Engine& engine, Door& door) : media_(engine.media()), engine_(engine), door_(door) {}

  grpc::ServerUnaryReactor* ListMedia(grpc::CallbackServerContext* context, const v1::ListMediaRequest* request,
                                      v1::ListMediaResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (enter_strict(door_, *context, reactor, "continuo.v1.MediaService.ListMedia", *request))
      media_.list(*request, reply_to(reactor, response));
    return reactor;
  }

  grpc::ServerUnaryReactor* ProbeMedia(grpc::CallbackServerContext* context, const v1::ProbeMediaRequest* request,
                                       v1::ProbeMediaResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (enter_strict(door_, *context, reactor, "continuo.v1.MediaService.ProbeMedia", *request))
      media_.probe(*request, reply_to(reactor, response));
    return reactor;
  }

  grpc::ServerUnaryReactor* GetUpload(grpc::CallbackServerContext* context, const v1::GetUploadRequest* request,
                                      v1::GetUploadResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (enter_strict(door_, *context, reactor, "continuo.v1.MediaService.GetUpload", *request))
      media_.get_upload(*request, reply_to(reactor, response));
    return reactor;
  }

  grpc::ServerReadReactor<v1::UploadMediaRequest>* UploadMedia(grpc::CallbackServerContext* context,
                                                               v1::UploadMediaResponse* response) override {
    return receive_media(context, response, engine_, door_);
  }

  grpc::ServerWriteReactor<v1::DownloadMediaResponse>* DownloadMedia(grpc::CallbackServerContext* context,
                                                                     const v1::DownloadMediaRequest* request) override {
    auto [stream, allowed, caller] = enter_stream<v1::DownloadMediaResponse>(
        door_, *context, "continuo.v1.MediaService.DownloadMedia", Gate::Lasts::until_it_is_told);
    grpc::ServerWriteReactor<v1::DownloadMediaResponse>* const reactor = stream.get();
    if (!allowed) return reactor;
    if (const Result<> good = check_strict(*request); !good) {
      stream->refuse(to_status(good.error()));
      return reactor;
    }
    auto turn = media_.idle().add([weak = std::weak_ptr(stream), context] {
      if (const auto waiting = weak.lock()) waiting->give_up(context);
    });
    using Found = std::shared_ptr<control::MediaDownload>;
    media_.download(*request, begin_with<Found>(stream, [turn = std::move(turn)](Found download) {
      return std::make_unique<DownloadSource>(std::move(download), turn);
    }));
    return reactor;
  }

  grpc::ServerUnaryReactor* DeleteMedia(grpc::CallbackServerContext* context, const v1::DeleteMediaRequest* request,
                                        v1::DeleteMediaResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (enter_strict(door_, *context, reactor, "continuo.v1.MediaService.DeleteMedia", *request))
      media_.remove(*request, reply_to(reactor, response));
    return reactor;
  }

 private:
  control::MediaLibrary& media_;
  control::Engine& engine_;
  Door& door_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_media_service(control::Engine& engine, Door& door) {
  return std::make_unique<MediaService>(engine, door);
}

}  // namespace continuo::rpc
