import { Module } from '@nestjs/common';
import { FileFolder } from './files/file-folder.js';
import { FileStore } from './files/file.store.js';
import { FileSweeper } from './files/file-sweeper.service.js';
import { FileUpload } from './files/file-upload.js';
import { FileUse } from './files/file-use.js';
import { FilesController } from './files/files.controller.js';
import { FilesService } from './files/files.service.js';

/** OpenAI's files and fine-tuning API. */
@Module({
  controllers: [FilesController],
  providers: [FileFolder, FileStore, FileSweeper, FileUpload, FileUse, FilesService],
})
export class FineTuningModule {}
